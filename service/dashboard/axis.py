"""Axes: round numbers and local times at which a reader wants a tick."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_NUMBER_STEPS = (1, 2, 2.5, 5, 10)
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


def number_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return round numbers within [low, high] and how to write them.

    Parameters
    ----------
    low, high : finite, in the unit of the axis
    most : about how many ticks are wanted; never more than one more than this

    Examples
    --------
    >>> number_ticks(0, 1, 5)
    [(0.0, '0'), (0.2, '0.2'), (0.4, '0.4'), (0.6, '0.6'), (0.8, '0.8'), (1.0, '1')]
    """
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [(low, number(low))]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((each * power for each in _NUMBER_STEPS if each * power >= raw * (1 - 1e-9)), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (round(step / power, 3) == 2.5))
    ticks = [(round(each * step, 12), each * step) for each in range(first, last + 1)]
    if max(abs(low), abs(high)) >= 1e6 or step < 1e-6:
        return [(value, f"{exact:g}") for value, exact in ticks]
    return [(value, _print(f"{exact + 0.0:,.{decimals}f}")) for value, exact in ticks]


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


def number(value: float, digits: int = 3) -> str:
    r"""Write a number with so many significant digits, thin-spaced thousands and a real minus.

    Examples
    --------
    >>> number(1234.5678), number(0.00123456), number(-12.0), number(float("nan"))
    ('1\u202f235', '0.00123', '−12', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= 9 or exponent < -4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return _print(text)


def _print(text: str) -> str:
    return _trim(text).replace(",", "\u202f").replace("-", "−")


def _trim(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


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
