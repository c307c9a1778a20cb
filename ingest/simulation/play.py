"""Play a made-up plant: send what it says when its time has come, faster than real if wished."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.reading import Readings
from ingest.simulation.happening import moment
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch, stream
from ingest.simulation.targets.target import Target

_AT_ONCE = timedelta(hours=1)
_SPAN = pa.duration("us")


@dataclass(frozen=True, slots=True)
class Played:
    """How far a plant was played.

    Attributes
    ----------
    until : plant time up to which all was sent
    through : share of the days that are over, 0 to 1
    readings, events : that were sent
    taken : readings that the other side took
    """

    until: datetime
    through: float = 0.0
    readings: int = 0
    events: int = 0
    taken: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def play(
    scenario: Scenario,
    target: Target,
    *,
    speed: int,
    now: bool,
    clock: Callable[[], datetime],
    sleep: Callable[[float], object],
) -> Iterator[Played]:
    """Send the days of a scenario to an open target, and yield after each batch how far it is.

    Parameters
    ----------
    speed : seconds of the plant in a second; 0 goes as fast as the target takes it
    now : move all times so that the last ones are of the moment when they are sent; none is ever ahead
    clock : returns the present moment, aware
    sleep : waits for some seconds

    Raises
    ------
    TargetError
        When nobody takes what is sent.
    """
    started = clock()
    begin, end = moment(scenario.begin), moment(scenario.end)
    lasts = (end - begin) / speed if speed else timedelta(0)
    shift = timedelta(seconds=(started + lasts - end) // timedelta(seconds=1)) if now else timedelta(0)
    span = timedelta(seconds=speed) if speed else max(scenario.every, _AT_ONCE)
    played = Played(begin + shift)
    for batch in takewhile(lambda each: each.until <= end, stream(scenario, batch=span)):
        if speed:
            due = started + (batch.until - begin) / speed
            sleep(max((due - clock()).total_seconds(), 0.0))
        told = _moved(batch, shift)
        # A machine at rest says nothing, and nobody need be asked to take that.
        taken = target.send(told) if told.readings or len(told.events) else 0
        played = Played(
            told.until,
            (batch.until - begin) / (end - begin),
            played.readings + sum(each.count for each in told.readings),
            played.events + len(told.events),
            played.taken + taken,
        )
        yield played


def _moved(batch: LiveBatch, shift: timedelta) -> LiveBatch:
    """Return a batch at another time."""
    if not shift:
        return batch
    readings = tuple(Readings(each.machine_class, _later(each.table, shift)) for each in batch.readings)
    events = batch.events.assign(time=batch.events["time"] + shift, end=batch.events["end"] + shift)
    return replace(batch, until=batch.until + shift, readings=readings, events=events)


def _later(table: pa.Table, shift: timedelta) -> pa.Table:
    for name in ("time", "arrived"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pc.add(table[name], pa.scalar(shift, _SPAN)))
    return table
