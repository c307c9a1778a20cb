"""Turn what machines send into clean, durable, ordered readings."""
