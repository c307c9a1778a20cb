"""What models believe happened: labels from recorded events, and whether the records can be believed."""
