"""Detectors of strange behaviour, one per file; ``detector.py`` holds their contract and their table."""
