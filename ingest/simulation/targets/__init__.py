"""Where a made-up plant can be played to, one module per protocol."""
