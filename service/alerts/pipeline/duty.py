"""Duty: which shifts work at a moment, and who is called then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from features.microsecond import time_of
from features.production.calendar import local
from ingest.plant import Plant
from ingest.plant_production import Day, Shift
from ingest.plant_route import Duty, Route

_DAYS: tuple[str, ...] = get_args(Day)
_AHEAD = 15
"""Days in which the next shift is looked for: two weeks, and the day before the first."""
WHOLE_DAY = "day"
"""What the shift is called of a plant that declares none."""


@dataclass(frozen=True, slots=True)
class Worked:
    """One shift on one day; it lasts in begin ≤ t < end."""

    shift: str
    begin: datetime
    end: datetime


class Roster:
    """Who is on duty when, by the shifts of a plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._shifts = {each.name: each for each in plant.shifts}

    def on_duty(self, route: Route, now: datetime) -> tuple[str, ...]:
        """Return whom a route calls now, each once."""
        named = [*route.targets, *(who for duty in route.on_call if self._works(duty, now) for who in duty.targets)]
        return tuple(dict.fromkeys(named))

    def everybody(self, route: Route) -> tuple[str, ...]:
        """Return whom a route ever calls first, each once."""
        return tuple(dict.fromkeys([*route.targets, *(who for duty in route.on_call for who in duty.targets)]))

    def next_duty(self, route: Route, now: datetime) -> datetime | None:
        """Return when somebody of a route is on duty next; ``None`` if nobody is in the next two weeks."""
        names = {name for duty in route.on_call for name in duty.shifts}
        begins = [each.begin for name in names for each in self.worked(name, now) if each.begin > now]
        return min(begins, default=None)

    def worked(self, shift: str, now: datetime) -> Iterator[Worked]:
        """Yield a shift on each day from the day before yesterday on, for about two weeks."""
        found = self._shifts.get(shift)
        first = now.astimezone(self._plant.zone).date() - timedelta(days=2)
        for day in (first + timedelta(days=each) for each in range(_AHEAD + 2)):
            if found is not None and _begins(found, day, self._plant):
                hours = found.hours
                begin, end = (time_of(local(day, each, self._plant.zone)) for each in (hours.begin, hours.end))
                yield Worked(shift, begin, end)

    def ended(self, now: datetime) -> list[Worked]:
        """Return the shifts that ended within the last day, the newest last; local days where none is declared."""
        if not self._shifts:
            today = now.astimezone(self._plant.zone).date()
            begin, end = (time_of(local(each, 0, self._plant.zone)) for each in (today - timedelta(days=1), today))
            return [Worked(WHOLE_DAY, begin, end)]
        worked = [each for name in self._shifts for each in self.worked(name, now)]
        return sorted((each for each in worked if now - timedelta(days=1) < each.end <= now), key=lambda each: each.end)

    def newest(self, now: datetime, shift: str | None = None) -> Worked | None:
        """Return the newest shift that is over, of this name if one is given; ``None`` if none was for a fortnight."""
        for days in range(_AHEAD):
            found = [each for each in self.ended(now - timedelta(days=days)) if shift in (None, each.shift)]
            if found:
                return found[-1]
        return None

    def _works(self, duty: Duty, now: datetime) -> bool:
        return any(each.begin <= now < each.end for name in duty.shifts for each in self.worked(name, now))


def _begins(shift: Shift, day: date, plant: Plant) -> bool:
    return _DAYS[day.weekday()] in shift.days and day not in plant.production.closed


def week_of(now: datetime, plant: Plant) -> tuple[datetime, datetime]:
    """Return the begin and the end of the local week, which begins on Monday, in UTC.

    Examples
    --------
    >>> from datetime import UTC
    >>> plant = Plant.model_validate({"time_zone": "Europe/Berlin", "classes": [{"name": "c", "signals": [{"name":
    ...     "s"}]}], "machines": [{"name": "m", "class": "c"}]})
    >>> [str(each) for each in week_of(datetime(2026, 3, 29, 12, tzinfo=UTC), plant)]
    ['2026-03-22 23:00:00+00:00', '2026-03-29 22:00:00+00:00']
    """
    today = now.astimezone(plant.zone).date()
    monday = today - timedelta(days=today.weekday())
    begin, end = (time_of(local(each, 0, plant.zone)) for each in (monday, monday + timedelta(days=7)))
    return begin, end
