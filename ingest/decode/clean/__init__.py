"""Bodies in which nothing is wrong, decoded a column at a time."""
