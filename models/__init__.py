"""Learn normal behaviour, foresee failures, find losses, judge honestly."""
