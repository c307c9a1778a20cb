"""What the plant could do without a model; every model is compared with these in money."""
