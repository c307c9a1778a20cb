"""What models make of many machines, worked out wherever the engine works."""
