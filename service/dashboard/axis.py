"""Axes: round numbers and local times at which a reader wants a tick."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from models.report.axis import number, number_ticks

__all__ = ["number", "number_ticks", "time_ticks"]

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


def time_ticks(start: datetime, end: datetime, zone: ZoneInfo, most: int) -> list[tuple[datetime, str]]:
    """Return local round times within [start, end] and how to write them.

    Days begin at local midnight on both days of a clock change; a day is written where it begins.

    Examples
    --------
    >>> from datetime import UTC
    >>> evening, morning = datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
    >>> ticks = time_ticks(evening, morning, ZoneInfo("UTC"), 5)
    >>> [label for _, label in ticks]
    ['Mon 2 Mar', '03:00', '06:00', '09:00']
    """
    span = end - start
    if span <= timedelta(0):
        return []
    minutes = span / timedelta(minutes=1) / most
    if (step := next((each for each in _MINUTES if each >= minutes), None)) is not None:
        return _minute_ticks(start, end, zone, step)
    if (step := next((each for each in _DAYS if each >= minutes / 1440), None)) is not None:
        return _day_ticks(start, end, zone, step)
    step = next((each for each in _MONTHS if each * 30 >= minutes / 1440), _MONTHS[-1])
    return _month_ticks(start, end, zone, step)


def _minute_ticks(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[tuple[datetime, str]]:
    ticks: list[tuple[datetime, str]] = []
    day = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        for minute in range(0, 1440, step):
            # Wall-clock arithmetic: 06:00 stays 06:00 on the day of a clock change.
            local = day + timedelta(minutes=minute)
            moment = local.astimezone(UTC)
            exists = moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
            if start <= moment <= end and exists:
                ticks.append((moment, _day(local) if minute == 0 else f"{local:%H:%M}"))
        day = (day + timedelta(days=1)).replace(hour=0, minute=0)
    return ticks


def _day_ticks(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[tuple[datetime, str]]:
    first = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    # Weeks begin on Monday; other steps count from there, so that ticks stay put while time passes.
    first -= timedelta(days=(first.toordinal() - 1) % step)
    ticks = []
    while first <= end:
        if first >= start:
            ticks.append((first.astimezone(UTC), f"{first.day} {first:%b}" if step > 1 else _day(first)))
        first += timedelta(days=step)
    return ticks


def _month_ticks(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[tuple[datetime, str]]:
    local = start.astimezone(zone)
    month = (local.year * 12 + local.month - 1) // step * step
    ticks: list[tuple[datetime, str]] = []
    while True:
        tick = local.replace(
            year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0, fold=0
        )
        if tick > end:
            return ticks
        if tick >= start:
            ticks.append((tick.astimezone(UTC), f"{tick:%Y}" if step >= 12 else f"{tick:%b %Y}"))
        month += step


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}"
