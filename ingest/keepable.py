"""Keepable texts: what every database can hold."""

import re

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL refuses, and half of a character, which UTF-8 has no bytes for."""


def why_unkeepable(text: str) -> str:
    r"""Return what in a text no database can keep: NUL, or half of a character; empty for any other text.

    Examples
    --------
    >>> why_unkeepable("Inès"), why_unkeepable("ab\0")
    ('', 'U+0000 at place 3 cannot be kept; leave it out')
    """
    found = _UNKEEPABLE.search(text)
    return f"U+{ord(found[0]):04X} at place {found.start() + 1} cannot be kept; leave it out" if found else ""


def keepable(text: str) -> str:
    r"""Return a text with U+FFFD for what cannot be kept: for quoting what was turned away, never for data.

    Examples
    --------
    >>> ascii(keepable("press\0")), keepable("Inès")
    ("'press\\ufffd'", 'Inès')
    """
    return text if text.isascii() and "\0" not in text else _UNKEEPABLE.sub("\ufffd", text)
