"""Losses that are worth somebody's time: what each machine loses beyond its own usual, one finder a file."""
