"""Hours of a local day as people write them: ``06:00-14:00``, ``22:00-06:00`` across midnight."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """Hours by the clock on the wall, in whole minutes since the midnight that begins the day.

    Attributes
    ----------
    begin : 0 to 1439
    end : later than ``begin`` and at most a day later; above 1440 when the span goes on after midnight
    """

    begin: int
    end: int

    def __str__(self) -> str:
        return f"{_clock(self.begin)}-{_clock(self.end if self.end <= DAY else self.end - DAY)}"


def parse_clock_span(text: object) -> ClockSpan:
    """Read hours.

    Raises
    ------
    ValueError
        For anything but two times of day; and for two equal ones, which may mean none or a whole day.

    Examples
    --------
    >>> parse_clock_span("22:00-06:00")
    ClockSpan(begin=1320, end=1800)
    >>> str(parse_clock_span("0:00-24:00"))
    '00:00-24:00'
    """
    if isinstance(text, ClockSpan):
        return text
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a span of hours; write two times of day such as '06:00-14:00'")
    first, last, *minutes = int(match[1]), int(match[3]), int(match[2]), int(match[4])
    begin, end = first * 60 + minutes[0], last * 60 + minutes[1]
    if begin >= DAY or end > DAY or max(minutes) > 59:
        raise ValueError(f"{text!r} is no time of day; write hours from 00:00 to 24:00, such as '06:00-14:00'")
    if begin == end:
        raise ValueError(f"{text!r} ends where it begins; write '00:00-24:00' for a whole day")
    return ClockSpan(begin, end if end > begin else end + DAY)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


Hours = Annotated[
    ClockSpan,
    PlainValidator(parse_clock_span),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["06:00-14:00", "22:00-06:00"]}),
]
"""A field of the plant file that holds hours of a local day."""
