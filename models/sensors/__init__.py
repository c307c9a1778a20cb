"""Whether sensors can be believed right now, by how their readings look against their own last fortnight."""
