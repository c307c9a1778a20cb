"""What events tell of a machine: clocks that only a coded event resets, and counts of errors.

An event is over at its end if it lasts, otherwise when it happened. Clocks start when it is over;
errors count when they begin. Nothing later than the row's time is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.column import Column
from features.microsecond import HOUR, Times, microseconds
from features.window import floors_at


@dataclass(frozen=True, slots=True)
class MachineEvents:
    """The events of one machine, as times in microseconds since 1970.

    Attributes
    ----------
    kind, component, code : arrays of str objects, shape (n_events,)
    begin : when each began
    over : when each was over: its end, or its begin if it is an instant
    restarts : moments at which a failure was over and a new life began, ascending
    """

    kind: NDArray[np.object_]
    component: NDArray[np.object_]
    code: NDArray[np.object_]
    begin: Times
    over: Times
    restarts: Times

    @classmethod
    def of(cls, events: pd.DataFrame, machines: Sequence[str]) -> "dict[str, MachineEvents]":
        """Return the events of each of the machines from a table with ``EVENT_COLUMNS``."""
        begin = events["time"].to_numpy("datetime64[us]").astype(np.int64)
        end = events["end"].to_numpy("datetime64[us]")
        over = np.where(np.isnat(end), begin, np.maximum(end.astype(np.int64), begin))
        kind, component, code = (events[name].to_numpy(object) for name in ("kind", "component", "code"))
        rows_of: dict[str, list[int]] = {machine: [] for machine in machines}
        for row, machine in enumerate(events["machine"].tolist()):
            if machine in rows_of:
                rows_of[machine].append(row)
        found = {}
        for machine, places in rows_of.items():
            rows = np.array(places, dtype=np.int64)
            restarts = np.unique(over[rows][kind[rows] == "failure"])
            found[machine] = cls(kind[rows], component[rows], code[rows], begin[rows], over[rows], restarts)
        return found

    def maintained(self, component: str) -> Times:
        """Moments at which a component had been maintained or repaired after a failure, ascending.

        An event that names no component stands for all of them; without a component asked for, every
        maintenance and failure counts.
        """
        which = (self.kind == "failure") | (self.kind == "maintenance")
        if component:
            which &= (self.component == "") | (self.component == component)
        return np.unique(self.over[which])

    def errors(self, code: str) -> Times:
        """Moments at which errors of a code (of any, when empty) began, ascending."""
        which = self.kind == "error"
        if code:
            which &= self.code == code
        return np.sort(self.begin[which])


def usage(column: Column, events: MachineEvents, first: int, ends: Times) -> NDArray[np.float64]:
    """Return a column that events determine, for one machine.

    Parameters
    ----------
    first : time of the machine's first reading
    ends : window ends, ascending

    Returns
    -------
    array of shape (n_ends,): hours since the event, NaN before the first; or a number of events
    """
    if column.window is not None:
        begins = np.maximum(ends - microseconds(column.window), floors_at(events.restarts, ends))
        times = events.errors(column.part)
        count = np.searchsorted(times, ends, side="right") - np.searchsorted(times, begins, side="right")
        return np.maximum(count, 0).astype(np.float64)
    if column.feature == "hours_since_maintenance":
        return _hours_since(events.maintained(column.part), ends)
    since_failure = _hours_since(events.restarts, ends)
    if column.feature == "hours_in_service":
        return np.fmin(since_failure, (ends - first) / HOUR)
    return since_failure


def _hours_since(times: Times, ends: Times) -> NDArray[np.float64]:
    known = np.searchsorted(times, ends, side="right")
    newest = np.concatenate([[0], times])[known]
    return np.where(known > 0, (ends - newest) / HOUR, np.nan)
