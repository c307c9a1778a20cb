"""Kinds of leaks: one check a file, each told of a table and its labels, each naming columns."""
