"""Rows, events and settings laid out so that many thresholds can be tried on them quickly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.plant import AlertSettings, ModelEntry, Plant
from models.judging.lead import needed_of
from models.moment import instant, instants, is_over, span
from models.persistence import active_rows, lives
from models.rows import by_machine, machine_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What makes an alert and what makes it right.

    Attributes
    ----------
    needed_leads : of single components or failure modes, where it is another one
    known_until : up to when all events are known; ``None`` when they all are
    """

    alerts: AlertSettings
    horizon: timedelta
    needed_lead: timedelta
    needed_leads: Mapping[str, timedelta] = field(default_factory=dict)
    known_until: datetime | None = None

    @classmethod
    def of(cls, entry: ModelEntry, plant: Plant, known_until: datetime | None) -> Self:
        """Return the rules by which a model of the plant file is judged."""
        return cls(
            alerts=plant.alerts,
            horizon=entry.horizon,
            needed_lead=entry.needed_lead,
            needed_leads=entry.needed_leads,
            known_until=known_until,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one trial, per machine.

    Attributes
    ----------
    found, missed, false : shape (n_machines,), in the order of the machines' first rows
    """

    found: NDArray[np.intp]
    missed: NDArray[np.intp]
    false: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where on a table's rows an alert would be right, worked out once for all trials.

    ``models.judging.evaluate.judge`` says the same of one trial, alert by alert.

    Attributes
    ----------
    owner : machine number of each row, shape (n_rows,)
    life : number of each row's life, see ``models.persistence.lives``
    known : whether it is known what happened within the horizon after each row
    event_owner : machine number of each event, shape (n_events,)
    first, right, late : rows, shape (n_events,)
        An alert that begins in [first, right) finds the event, one in [right, late) is too late. An
        event with no row in [first, right) is not judged.
    machines : how many machines have rows
    alerts : settings of the alerts
    time : window ends, shape (n_rows,)
    """

    owner: NDArray[np.intp]
    life: NDArray[np.intp]
    known: NDArray[np.bool_]
    event_owner: NDArray[np.intp]
    first: NDArray[np.intp]
    right: NDArray[np.intp]
    late: NDArray[np.intp]
    machines: int
    alerts: AlertSettings
    time: NDArray[np.datetime64]

    @classmethod
    def of(
        cls,
        machine: NDArray[Any],
        time: NDArray[np.datetime64],
        targets: pd.DataFrame,
        failures: pd.DataFrame | None,
        rules: Rules,
    ) -> "Ground":
        """Lay out rows that have a value, sorted by (machine, time).

        Parameters
        ----------
        targets : table of ``target_events``; events without a row in their span are not judged
        failures : table of all failures, which begin a new life
        """
        rows = machine_rows(machine)
        owner = np.empty(len(time), dtype=np.intp)
        for number, mine in enumerate(rows.values()):
            owner[mine] = number
        numbers = {name: number for number, name in enumerate(rows)}
        events = [np.empty((4, 0), dtype=np.intp)]
        for name, group in by_machine(targets).items():
            if name in rows:
                events.append(_event_rows(time, rows[name], numbers[name], group, rules))
        event_owner, first, right, late = np.concatenate(events, axis=1)
        known = is_over(time, rules.horizon, None if rules.known_until is None else instant(rules.known_until))
        life = lives(machine, time, failures)
        return cls(owner, life, known, event_owner, first, right, late, len(rows), rules.alerts, time)

    @property
    def events(self) -> int:
        """How many events are judged."""
        return int(np.count_nonzero(self.right > self.first))

    def begins(self, level: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
        """Return the rows at which alerts begin with this threshold; ``level`` has shape (n_rows,)."""
        standing = level >= threshold - self.alerts.dead_band * abs(threshold)
        return active_rows(level >= threshold, self.life, self.alerts, standing=standing, time=self.time)[0]

    def tally(self, level: NDArray[np.float64], threshold: float) -> Tally:
        """Count what the alerts would have been worth with this threshold.

        Parameters
        ----------
        level : shape (n_rows,)
        """
        begins = self.begins(level, threshold)
        first = np.searchsorted(begins, self.first)
        right = np.searchsorted(begins, self.right)
        late = np.searchsorted(begins, self.late)
        found = right > first
        about = np.zeros(len(begins) + 1, dtype=np.intp)
        np.add.at(about, first, 1)
        np.add.at(about, late, -1)
        false = begins[(np.cumsum(about)[:-1] == 0) & self.known[begins]]
        return Tally(
            np.bincount(self.event_owner[found], minlength=self.machines),
            np.bincount(self.event_owner[~found & (self.right > self.first)], minlength=self.machines),
            np.bincount(self.owner[false], minlength=self.machines),
        )


def _event_rows(
    time: NDArray[np.datetime64], mine: slice, number: int, group: pd.DataFrame, rules: Rules
) -> NDArray[np.intp]:
    """Return (machine number, first, right, late) of each event, shape (4, n_events)."""
    begin, end, until = (instants(group[name]) for name in ("begin", "end", "until"))
    first = mine.start + np.searchsorted(time[mine], begin - span(rules.horizon), side="left")
    right = mine.start + np.searchsorted(
        time[mine], until - needed_of(group, rules.needed_lead, rules.needed_leads), side="right"
    )
    late = mine.start + np.searchsorted(time[mine], end, side="right")
    rows = np.stack([np.full(len(begin), number), first, right, late])
    return rows[:, late > first]
