"""◆ Events: what happened to machines. The truth that models learn from.

One ``Event`` is one occurrence; many of them travel as a pandas table with ``EVENT_COLUMNS``,
sorted by time, all times in UTC.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal, get_args

import pandas as pd

EventKind = Literal["failure", "maintenance", "inspection", "error", "stop", "state", "count", "order", "shift"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

EVENT_COLUMNS = ("machine", "kind", "time", "end", "component", "code", "value", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one machine.

    Attributes
    ----------
    time : when it happened or began, with a time zone
    end : when it was over; ``None`` for an instant
    component : part of the machine; of an order or a count its product; empty when the whole machine is meant or
        the product is not known
    code : failure mode, error code, state, reason of a stop, order number or name of a shift, in the plant's own
        words; of a count whether the pieces are ``good``, ``scrap`` or ``rework``
    value : a number that belongs to it, such as the pieces of a count; ``None`` where there is none
    """

    machine: str
    kind: EventKind
    time: datetime
    end: datetime | None = None
    component: str = ""
    code: str = ""
    value: float | None = None
    note: str = ""


def events_table(events: Iterable[Event] = ()) -> pd.DataFrame:
    """Return events as a table sorted by (time, machine, kind, component, code).

    Returns
    -------
    DataFrame with ``EVENT_COLUMNS``
        ``time`` and ``end`` are ``datetime64[us, UTC]`` (``end`` may be NaT), ``value`` float64
        (NaN where there is none), the rest ``object`` strings, never null.

    Examples
    --------
    >>> from datetime import UTC
    >>> table = events_table([Event(machine="m1", kind="failure", time=datetime(2026, 1, 1, tzinfo=UTC))])
    >>> table.loc[0, "kind"], table.dtypes["time"].name
    ('failure', 'datetime64[us, UTC]')
    """
    table = pd.DataFrame([asdict(event) for event in events], columns=list(EVENT_COLUMNS))
    for column in ("time", "end"):
        table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[us, UTC]")
    table["value"] = table["value"].astype("float64")
    for column in ("machine", "kind", "component", "code", "note"):
        table[column] = table[column].astype(object)
    return table.sort_values(["time", "machine", "kind", "component", "code"], kind="stable", ignore_index=True)


NO_EVENTS = events_table()
"""The table of no events; making it anew takes milliseconds, which each small delivery would pay."""
