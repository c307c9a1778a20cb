"""Alerts: the life of a finding among people."""
