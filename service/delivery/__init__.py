"""Bring messages about alerts to people and other systems: written with the alert, sent until they arrive."""
