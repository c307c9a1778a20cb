"""Watch the plant around the clock and tell people in time."""
