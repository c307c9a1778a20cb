"""When a machine is planned to run: shifts, breaks and days of the plant's local time, as microseconds in UTC.

A time of day that clocks skip when they go forward is read with the offset from before (02:30 is 03:30 summer time),
and of an hour that comes twice the first is meant: both as in the plant file. So a night shift of eight hours by the
clock lasts seven or nine in the two nights of the year.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from features.microsecond import moment, time_of
from features.production.stretches import NOTHING, Course, Stretches
from ingest.clock_span import DAY
from ingest.plant import Plant
from ingest.plant_production import Day, Shift
from ingest.plant_production_check import members, within

OFF, ON, BREAK = range(3)
"""Not planned, planned, and a break within a shift."""
_DAYS: tuple[str, ...] = get_args(Day)
_BEFORE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Parts of a span, cut wherever a day, a shift or a break begins or ends.

    Attributes
    ----------
    course : the edges, and the number of each part
    planned : ``OFF``, ``ON`` or ``BREAK``, shape (n_parts,)
    day : local calendar day of each part, shape (n_parts,)
    shift : name of its shift, empty where there is none, shape (n_parts,)
    shift_day : day on which the shift began; the calendar day where there is none, shape (n_parts,)
    declared : whether anything says when the machine is planned to run; if not, all time is planned
    """

    course: Course
    planned: NDArray[np.int64]
    day: NDArray[np.datetime64]
    shift: NDArray[np.object_]
    shift_day: NDArray[np.datetime64]
    declared: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """One shift on one day, as the plan or an event has it; times in microseconds."""

    begin: int
    stop: int
    shift: str
    day: date
    planned: int = ON


def calendar_of(plant: Plant, machine: str, start: int, stop: int, told: Sequence[Planned] = ()) -> Calendar:
    """Return the calendar of a machine in [start, stop).

    Parameters
    ----------
    told : shifts that events tell of; they hold where the plant file says otherwise
    """
    zone = plant.zone
    first, last = (time_of(each) for each in (start, stop))
    days = [first.astimezone(zone).date() - _BEFORE]
    while days[-1] <= last.astimezone(zone).date():
        days.append(days[-1] + timedelta(days=1))
    line_of = {each.name: each.line for each in plant.machines}
    own = [each for each in plant.shifts if machine in members(each, [machine], line_of)]
    closed = frozenset(plant.production.closed)
    plans = [each for day in days if day not in closed for shift in own for each in _planned(shift, day, zone)]
    declared = bool(plant.shifts or told)
    return _cut(days, plans, list(told), zone, (start, stop), declared=declared)


def _planned(shift: Shift, day: date, zone: ZoneInfo) -> Iterator[Planned]:
    if _DAYS[day.weekday()] not in shift.days:
        return
    for hours, planned in ((shift.hours, ON), *((within(each, shift.hours), BREAK) for each in shift.breaks)):
        if hours is not None:
            yield Planned(local(day, hours.begin, zone), local(day, hours.end, zone), shift.name, day, planned)


def local(day: date, minute: int, zone: ZoneInfo) -> int:
    """Return a minute by the clock since the local midnight of a day, up to 2880, as microseconds since 1970."""
    wall = datetime.combine(day + timedelta(days=minute // DAY), time(minute % DAY // 60, minute % 60), zone)
    return moment(wall)


def _cut(
    days: list[date],
    plans: list[Planned],
    told: list[Planned],
    zone: ZoneInfo,
    span: tuple[int, int],
    *,
    declared: bool,
) -> Calendar:
    midnights = np.array([local(day, 0, zone) for day in days], np.int64)
    # A break begins within its shift, and so holds while it lasts; what events tell lies above both.
    everything = [*plans, *told]
    layers = [
        _stretches(everything, range(len(plans))),
        _stretches(everything, range(len(plans), len(everything))),
    ]
    by_day = Stretches(midnights, np.append(midnights[1:], np.iinfo(np.int64).max), np.arange(len(days)))
    edges = [span[0], span[1], *midnights, *(each for of in layers for pair in (of.begin, of.stop) for each in pair)]
    inner = np.unique(np.clip(np.array(edges, np.int64), *span))
    begins = inner[:-1]
    day_of = np.array(days, "datetime64[D]")[by_day.at(begins)]
    which = Course.overlaid(layers, *span).at(begins)
    in_shift = which != NOTHING
    plan = np.array([each.planned for each in everything] + [OFF if declared else ON], np.int64)[which]
    names = np.array([each.shift for each in everything] + [""], object)[which]
    began = np.array([each.day for each in everything] + [days[0]], "datetime64[D]")[which]
    return Calendar(
        course=Course(inner, np.arange(len(begins))),
        planned=plan,
        day=day_of,
        shift=np.where(plan == OFF, "", names),
        shift_day=np.where(in_shift & (plan != OFF), began, day_of),
        declared=declared,
    )


def _stretches(planned: Sequence[Planned], places: range) -> Stretches:
    begin = np.array([planned[each].begin for each in places], np.int64)
    stop = np.array([planned[each].stop for each in places], np.int64)
    return Stretches.overlapping(begin, stop, np.array(places, np.int64))
