"""The simulated plant as a live stream: batches in order of time, the same numbers as the files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
import pandas as pd

from ingest.event import NO_EVENTS, events_table
from ingest.reading import Readings
from ingest.simulation.happening import Happening, moment
from ingest.simulation.machine import MachineDay, machine_days, readings
from ingest.simulation.production import Output
from ingest.simulation.scenario import Scenario, SimulatedMachine


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """What the plant sent in one span of time.

    Attributes
    ----------
    until : end of the span; all times lie before it
    readings : one per class of machines that sent anything, sorted by (machine, time)
    events : with ``EVENT_COLUMNS``; one that lasts comes when it is over. Orders and counts of
        finished runs are among them, as the plant file reads them from files
    """

    until: datetime
    readings: tuple[Readings, ...]
    events: pd.DataFrame


def stream(scenario: Scenario, start: datetime | None = None, batch: timedelta | None = None) -> Iterator[LiveBatch]:
    """Yield what the plant sends, for ever.

    It holds one day of every machine. The days before ``start`` are made and passed over, since
    every day continues the one before: about a millisecond for each machine and day.

    Parameters
    ----------
    start : with a time zone; the scenario's start when left out
    batch : span of one batch, in whole seconds; the scenario's ``every`` when left out. A batch ends
        at local midnight even if it is shorter then.
    """
    step = max(int((batch or scenario.every).total_seconds()), 1)
    first = scenario.begin if start is None else max(int(start.timestamp()), scenario.begin)
    machines = scenario.plant()
    waiting: list[tuple[SimulatedMachine, Happening]] = []
    cut = first
    for days in zip(*(machine_days(scenario, each) for each in machines), strict=True):
        waiting += ((day.machine, each) for day in days for each in _told(day) if each.known >= first)
        while cut < days[0].end:
            until = min(cut + step, days[0].end)
            due = [each for each in waiting if each[1].known < until]
            waiting = [each for each in waiting if each[1].known >= until]
            events = events_table(each.event(machine.name) for machine, each in due) if due else NO_EVENTS
            yield LiveBatch(moment(until), _between(days, cut, until), events)
            cut = until


def _between(days: tuple[MachineDay, ...], begin: int, end: int) -> tuple[Readings, ...]:
    parts = []
    for day in days:
        inside = slice(*np.searchsorted(day.times, (begin, end)))
        parts.append(MachineDay(day.machine, day.end, day.times[inside], day.values[inside], (), ()))
    by_class = (readings(list(group)) for _, group in groupby(parts, key=lambda day: day.machine.kind.name))
    return tuple(each for each in by_class if each.table.num_rows)


def _told(day: MachineDay) -> Iterator[Happening]:
    yield from day.happenings
    for output in day.produced:
        yield from _as_events(output)


def _as_events(output: Output) -> Iterator[Happening]:
    run = output.run
    product = run.product.name
    yield Happening("order", run.begin, run.end, product, run.order)
    yield Happening("count", run.end, None, product, "good", float(output.good))
    yield Happening("count", run.end, None, product, "scrap", float(output.scrap))
