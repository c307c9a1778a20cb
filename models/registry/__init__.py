"""Versions of models: written once, signed, proven before they are loaded, promoted with a reason."""
