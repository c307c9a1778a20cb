"""Verdicts as labels: what inspections found becomes failures that models learn from.

A failure that was prevented is in no record of failures, and the windows before it would teach a model that they
were healthy: so the better a model works, the worse the next one would be. What closes an alert as *right* or
*prevented* with a failure mode is therefore a failure of that mode. *Wrong* needs no label: windows before which
nothing failed are healthy already. *Not inspected* says nothing, and changes nothing.

Only alerts are inspected, so what no alert was raised for is found by breakdowns alone. No weights make up for it:
how likely an inspection was where there was no alert is not known.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.event import Event, events_table
from ingest.history import History, ReadingsView
from ingest.plant import Plant
from ingest.reading import Readings
from service.alerts.alert import Verdict
from service.alerts.found import SENSOR
from service.alerts.tables import alert_table

ABOUT_MACHINES = ("failure ahead", "anomaly", "condition", "sensor or machine", "limit")
"""Kinds of alerts whose verdict says something of a machine; a sensor that is broken is no failure."""

SAME = timedelta(days=3)
"""A failure that is recorded this close to the alert's time is the same one, entered by hand or by the machine."""


def verdict_events(connection: Connection, plant: Plant) -> list[tuple[datetime, Event]]:
    """Return the failures that verdicts tell of, each with when its condition began.

    The time of each is when the condition was over, or when somebody closed the alert, whichever came first: until
    then nobody had repaired it. Several alerts of one machine within ``SAME`` are one failure, the first of them.
    """
    column = alert_table.c
    query = select(alert_table).where(
        column.verdict.in_([Verdict.RIGHT.value, Verdict.PREVENTED.value]),
        column.mode != "",
        column.kind.in_(ABOUT_MACHINES),
    )
    rows = [(min(filter(None, (row.condition_end, row.closed_at))), row) for row in connection.execute(query)]
    components = {each.name: set(plant.class_of(each.name).components) for each in plant.machines}
    found: list[tuple[datetime, Event]] = []
    newest: dict[str, datetime] = {}
    for time, row in sorted(rows, key=lambda each: (each[0], each[1].number)):
        known = components.get(row.machine, set())
        if row.mode == SENSOR and SENSOR not in known:
            continue
        if row.machine in newest and time - newest[row.machine] <= SAME:
            continue
        newest[row.machine] = time
        component = next((each for each in (row.mode, row.cause) if each in known), "")
        code, note = "" if row.mode == component else row.mode, f"alert {row.number}: {row.verdict}"
        event = Event(machine=row.machine, kind="failure", time=time, component=component, code=code, note=note)
        found.append((row.condition_begin, event))
    return found


def learnt_history(state: Database, plant: Plant, history: History) -> History:
    """Return a history as models are to learn from it: with what verdicts tell, where they tell anything."""
    with state.read() as connection:
        told = verdict_events(connection, plant)
    return LearntHistory(history, told) if told else history


@dataclass(frozen=True, slots=True)
class LearntHistory(ReadingsView):
    """A history with the failures that verdicts tell of; itself a ``History``.

    Attributes
    ----------
    told : each failure with when its condition began; one that is recorded as well is left out
    """

    told: Sequence[tuple[datetime, Event]]

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events of (start, end], those that verdicts tell of among them."""
        recorded = self.history.events(machines=machines, kinds=kinds, start=start, end=end)
        if kinds is not None and "failure" not in kinds:
            return recorded
        more = [
            event
            for begin, event in self.told
            if (machines is None or event.machine in machines)
            and (start is None or event.time > start)
            and (end is None or event.time <= end)
            and not self._recorded(event, begin)
        ]
        if not more:
            return recorded
        both = pd.concat([recorded, events_table(more)], ignore_index=True)
        return both.sort_values(["time", "machine", "kind", "component", "code"], kind="stable", ignore_index=True)

    def _recorded(self, event: Event, begin: datetime) -> bool:
        around = self.history.events(
            machines=[event.machine], kinds=["failure"], start=begin - timedelta(microseconds=1), end=event.time + SAME
        )
        return not around.empty

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings as they are."""
        return self.history.read(machine_class, machines=machines, signals=signals, start=start, end=end)

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of readings, which are as they were."""
        return self.history.derived(machine_class, start, end, keys, work)
