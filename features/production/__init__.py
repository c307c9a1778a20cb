"""Every second in one bucket, every piece counted: what OEE and the loss tree are made of."""
