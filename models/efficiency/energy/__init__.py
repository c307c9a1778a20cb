"""What a meter should have read, what it read beyond that, since when, why, and what it costs (ISO 50006 terms)."""
