"""Channels: how a message reaches each kind of target, one module each."""
