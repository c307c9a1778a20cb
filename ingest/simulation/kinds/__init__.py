"""The physics of each kind of machine, as data."""
