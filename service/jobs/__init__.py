"""Jobs: work on a schedule, each slot exactly once."""
