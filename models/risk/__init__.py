"""How likely a failure is within each horizon, and of which mode."""
