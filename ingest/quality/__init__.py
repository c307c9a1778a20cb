"""How far readings can be trusted: faults of sensors and of what carries their readings, and a grade of both."""
