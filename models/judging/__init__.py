"""What a model would have been worth on the past, and how sure that is."""
