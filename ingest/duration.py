"""Spans of time as people write them: ``90 s``, ``5 min``, ``24 h``, ``7 d``."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = timedelta(days=36_525)
"""A century, so that each moment and a span after it is a time that can be written."""
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d|w)\s*")


def parse_duration(text: object) -> timedelta:
    """Read a span of time.

    Parameters
    ----------
    text : a number and one of ms, s, min, h, d, w; or a ``timedelta``, returned as it is

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> parse_duration("24 h") == parse_duration("1 d")
    True
    """
    if isinstance(text, timedelta):
        return text
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit, such as '15 min', '24 h' or '7 d'")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is too long; write a duration such as '15 min', '24 h' or '7 d'")
    return timedelta(seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Write a span as briefly as a person would; ``parse_duration`` reads it back.

    Examples
    --------
    >>> format_duration(timedelta(hours=24)), format_duration(timedelta(minutes=90))
    ('24 h', '90 min')
    """
    seconds = span.total_seconds()
    if seconds and seconds % 86400 == 0 and seconds >= 2 * 86400:
        return f"{seconds / 86400:.0f} d"
    for unit in ("h", "min", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f} {unit}"
    return f"{seconds * 1000:.0f} ms" if 0 < seconds < 1 else f"{seconds:g} s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["15 min", "24 h", "7 d"]}),
]
"""A field of the plant file that holds a span of time."""


def _some_time(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError("is no time at all; write a span longer than zero")
    return span


SomeTime = Annotated[Duration, AfterValidator(_some_time)]
"""The same, longer than zero."""
