"""The dead-man's switch: what is wrong with Andon itself, seen by another process than the one that failed."""
