"""Calls: which alerts people are called for, whom, when, and why not."""
