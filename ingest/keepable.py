"""Keepable texts: what every database can hold."""

import re

UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL refuses, and half of a character, which UTF-8 has no bytes for."""


def keepable(text: str) -> str:
    r"""Return a text with U+FFFD for what cannot be kept: for quoting what was turned away, never for data.

    Examples
    --------
    >>> ascii(keepable("press\0")), keepable("Inès")
    ("'press\\ufffd'", 'Inès')
    """
    return text if text.isascii() and "\0" not in text else UNKEEPABLE.sub("\ufffd", text)
