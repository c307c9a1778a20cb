"""Alerts that other systems post: taken, kept up to date, and over when they say so or fall silent."""
