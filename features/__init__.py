"""Summarise windows of readings as numbers that a model can learn from."""
