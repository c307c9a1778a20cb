"""What a plant file can ask of a model, one task a file."""
