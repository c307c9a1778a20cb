"""The ledger once more, slowly and in another way: one moment after the other, one event after the other.

Nothing here is shared with the code under test but the words of the plant file.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from ingest.event import Event
from ingest.plant import Plant
from ingest.plant_production import Shift, Words

Key = tuple[date, str, date, str]
_US = timedelta(microseconds=1)
_RANKS = (("failure",), ("maintenance", "inspection"), ("stop",))
_STOOD = ("failed", "breakdown", "stopped")


def slow_ledger(
    plant: Plant, machine: str, events: Sequence[Event], start: datetime, stop: datetime
) -> tuple[dict[tuple[Key, str], int], dict[tuple[Key, str], float], float]:
    """Return microseconds by row and what was done, pieces by row and outcome, and pieces off plan."""
    events = sorted(events, key=lambda each: (each.time, each.machine, each.kind, each.component, each.code))
    moments = sorted({start, stop, *_moments(plant, events, start, stop)})
    parts = list(pairwise(moments))
    did = _without_minor(plant, [(a, b, _meaning(plant, machine, events, a)) for a, b in parts])
    spent: dict[tuple[Key, str], int] = defaultdict(int)
    for begin, end, meaning in did:
        if start <= begin and end <= stop:
            planned, shift, day = _shift(plant, machine, begin)
            key = (begin.astimezone(plant.zone).date(), shift, day, _product(plant, events, begin))
            if not planned:
                meaning = "not_planned"
            elif planned == "break" and meaning not in ("running", "not_planned"):
                meaning = "planned_stop"
            spent[key, meaning] += (end - begin) // _US
    pieces: dict[tuple[Key, str], float] = defaultdict(float)
    off = 0.0
    for each in events:
        if each.kind == "count" and start < each.time <= stop and each.value is not None:
            before = each.time - _US
            planned, shift, day = _shift(plant, machine, before)
            product = each.component or _product(plant, events, before)
            if planned:
                pieces[(before.astimezone(plant.zone).date(), shift, day, product), each.code] += each.value
            else:
                off += each.value
    return spent, pieces, off


def _moments(plant: Plant, events: Sequence[Event], start: datetime, stop: datetime) -> Iterator[datetime]:
    for each in events:
        yield each.time
        if each.end is not None:
            yield each.end
    day = start.astimezone(plant.zone).date() - timedelta(days=3)
    while day <= stop.astimezone(plant.zone).date() + timedelta(days=1):
        yield _at(plant, day, 0)
        for shift in plant.shifts:
            for hours in (shift.hours, *shift.breaks):
                for minute in (hours.begin, hours.end):
                    yield _at(plant, day, minute)
        day += timedelta(days=1)


def _at(plant: Plant, day: date, minute: int) -> datetime:
    wall = datetime.combine(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60))
    return wall.replace(tzinfo=plant.zone).astimezone(UTC)


def _meaning(plant: Plant, machine: str, events: Sequence[Event], at: datetime) -> str:
    for kinds in _RANKS:
        held = [each for each in events if each.kind in kinds and each.end is not None and each.time <= at < each.end]
        if held:
            newest = max(held, key=lambda each: each.time)
            of_newest = [each for each in held if each.time == newest.time][-1]
            if kinds == ("failure",):
                return "failed"
            return "planned_stop" if kinds != ("stop",) else _word(plant, machine, of_newest.code, "stopped")
    states = [each for each in events if each.kind == "state" and each.time <= at]
    if states and (states[-1].end is None or at < states[-1].end):
        return _word(plant, machine, states[-1].code, "unknown")
    return "unknown"


def _word(plant: Plant, machine: str, code: str, otherwise: str) -> str:
    for words in (plant.class_of(machine).words, plant.production.words):
        for key in Words.model_fields:
            if code in getattr(words, key):
                return key
    return otherwise


def _without_minor(plant: Plant, did: list[tuple[datetime, datetime, str]]) -> list[tuple[datetime, datetime, str]]:
    found, place = list(did), 0
    while place < len(found):
        end = place
        while end < len(found) and found[end][2] in _STOOD:
            end += 1
        run = found[place:end]
        short = bool(run) and run[-1][1] - run[0][0] < plant.production.minor_stop
        minor = short and all(each[2] != "failed" for each in run)
        for each in range(place, end):
            begin, stop, meaning = found[each]
            found[each] = (begin, stop, "minor_stop" if minor else "breakdown" if meaning == "failed" else meaning)
        place = max(end, place + 1)
    return found


def _shift(plant: Plant, machine: str, at: datetime) -> tuple[str, str, date]:
    """Return "", "planned" or "break", the shift and its day."""
    today = at.astimezone(plant.zone).date()
    if not plant.shifts:
        return "planned", "", today
    for back in (0, 1, 2):
        day = today - timedelta(days=back)
        for shift in plant.shifts:
            if _works(plant, shift, machine, day) and (
                _at(plant, day, shift.hours.begin) <= at < _at(plant, day, shift.hours.end)
            ):
                return ("break" if _pauses(plant, shift, day, at) else "planned"), shift.name, day
    return "", "", today


def _works(plant: Plant, shift: Shift, machine: str, day: date) -> bool:
    everyone = not shift.lines and not shift.machines
    mine = everyone or machine in shift.machines or plant.machine_named(machine).line in shift.lines
    return mine and f"{day:%a}".lower() in shift.days and day not in plant.production.closed


def _pauses(plant: Plant, shift: Shift, day: date, at: datetime) -> bool:
    for hours in shift.breaks:
        for later in (0, 1440):
            begin, end = hours.begin + later, hours.end + later
            inside = shift.hours.begin <= begin and end <= shift.hours.end
            if inside and _at(plant, day, begin) <= at < _at(plant, day, end):
                return True
    return False


def _product(plant: Plant, events: Sequence[Event], at: datetime) -> str:
    only = plant.products[0].name if len(plant.products) == 1 else ""
    orders = [each for each in events if each.kind == "order"]
    if any(each.component for each in orders):
        begun = [each for each in orders if each.time <= at]
        return (begun[-1].component or only) if begun else only
    named = [each for each in events if each.kind == "count" and each.component]
    following = [each for each in named if each.time > at]
    if following:
        return following[0].component
    return named[-1].component if named else only
