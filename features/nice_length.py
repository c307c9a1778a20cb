"""Lengths of time that a person would choose."""

import math
from datetime import timedelta

DAY = timedelta(days=1)

NICE = sorted(
    [timedelta(milliseconds=number) for number in (1, 2, 5, 10, 20, 50, 100, 200, 500)]
    + [
        number * unit
        for unit in (timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1))
        for number in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
    ]
)


def nice_length(span: timedelta, *, at_least: timedelta = timedelta(0)) -> timedelta:
    """Return the length that a person would choose nearest to ``span`` (in ratio), shorter one if tied.

    Nice are 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20 and 30 seconds, minutes or hours, whole days, and
    round milliseconds.

    Examples
    --------
    >>> from ingest.duration import format_duration
    >>> format_duration(nice_length(timedelta(hours=7))), format_duration(nice_length(timedelta(days=8.75)))
    ('8 h', '9 d')
    """
    days = max(span, at_least) // DAY
    candidates = NICE + [number * DAY for number in (1, days, days + 1) if number]
    return min((each for each in candidates if each >= at_least), key=lambda each: (abs(math.log(each / span)), each))
