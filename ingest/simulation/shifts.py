"""When a machine is meant to run: shift patterns in local time, as spans in UTC seconds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[int, int]
"""Begin and end in seconds since 1970-01-01 UTC, end not included."""

_WORKDAYS = range(5)
_WEEK = range(7)


@dataclass(frozen=True, slots=True)
class ShiftPattern:
    """Shifts of a week: days (Monday is 0) and spans of whole local hours."""

    days: range
    hours: tuple[tuple[int, int], ...]

    @property
    def hours_per_year(self) -> float:
        """Planned running hours of an average year."""
        return len(self.days) / 7 * 365.25 * sum(end - begin for begin, end in self.hours)


SHIFT_PATTERNS: dict[str, ShiftPattern] = {
    "one shift": ShiftPattern(_WORKDAYS, ((7, 15),)),
    "two shifts": ShiftPattern(range(6), ((6, 14), (14, 22))),
    "three shifts": ShiftPattern(_WORKDAYS, ((0, 6), (6, 14), (14, 22), (22, 24))),
    "continuous": ShiftPattern(_WEEK, ((0, 24),)),
}


def local_second(day: date, hour: int, zone: ZoneInfo) -> int:
    """Return the UTC second at which a local hour (0 to 24) of a day begins.

    An hour that daylight saving skips begins with the next one; of an hour that comes twice the
    first is meant.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> (local_second(date(2026, 3, 29), 24, berlin) - local_second(date(2026, 3, 29), 0, berlin)) // 3600
    23
    """
    return int(datetime.combine(day + timedelta(days=hour // 24), time(hour % 24), zone).timestamp())


def planned_spans(pattern: ShiftPattern, day: date, zone: ZoneInfo) -> list[Span]:
    """Return the planned spans of one local day, in order; back-to-back shifts are one span."""
    spans: list[Span] = []
    if day.weekday() in pattern.days:
        for begin_hour, end_hour in pattern.hours:
            begin, end = local_second(day, begin_hour, zone), local_second(day, end_hour, zone)
            if spans and spans[-1][1] == begin:
                begin = spans.pop()[0]
            if end > begin:
                spans.append((begin, end))
    return spans


def days_from(first: date) -> Iterator[date]:
    """Yield a day and all that follow."""
    while True:
        yield first
        first += timedelta(days=1)


def after_running(pattern: ShiftPattern, zone: ZoneInfo, begin: int, seconds: float) -> int:
    """Return the moment at which a machine that follows its shifts from ``begin`` has run for so long."""
    first = datetime.fromtimestamp(begin, zone).date()
    for day in days_from(first):
        for span_begin, span_end in planned_spans(pattern, day, zone):
            running = max(0, span_end - max(span_begin, begin))
            if running >= seconds:
                return max(span_begin, begin) + int(seconds)
            seconds -= running
    raise AssertionError("days_from never ends")
