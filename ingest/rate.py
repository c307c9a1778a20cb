"""Samples a second as people write them: ``25600 Hz``, ``25.6 kHz``."""

import re
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(Hz|kHz)\s*")
_HERTZ = {"Hz": 1.0, "kHz": 1000.0}
HIGHEST = 250_000.0
"""Readings have times of whole microseconds: at four of them a sample, no two samples share one."""


class Hertz(float):
    """Samples a second."""


def parse_rate(text: object) -> Hertz:
    """Read a rate in Hz.

    Raises
    ------
    ValueError
        For anything but a number and Hz or kHz, above 0 and not above ``HIGHEST``.

    Examples
    --------
    >>> parse_rate("25.6 kHz")
    25600.0
    """
    if isinstance(text, Hertz):
        return text
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write a number and Hz or kHz, such as '25600 Hz'")
    rate = Hertz(float(match[1]) * _HERTZ[match[2]])
    if not 0 < rate <= HIGHEST:
        raise ValueError(f"{text!r} is out of reach; write a rate above 0 and up to '{HIGHEST / 1000:g} kHz'")
    return rate


def format_rate(rate: float) -> str:
    """Write a rate as ``parse_rate`` reads it."""
    return f"{rate:.12g} Hz"


Rate = Annotated[
    Hertz,
    PlainValidator(parse_rate),
    PlainSerializer(format_rate, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["25600 Hz", "25.6 kHz"]}),
]
"""A field of the plant file that holds samples a second."""
