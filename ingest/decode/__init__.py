"""Bytes and columns to readings and events, one module for each format."""
