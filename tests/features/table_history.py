"""A history in memory: what tests of features and models read from."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike

from ingest.event import Event, events_table
from ingest.reading import Readings, readings_schema

START = datetime(2026, 1, 5, tzinfo=UTC)


class TableHistory:
    """The promises of ``History``, kept with pandas: sorted, one row per machine and time, spans (start, end]."""

    def __init__(self, readings: pd.DataFrame, events: Iterable[Event] = ()) -> None:
        self.signals = tuple(name for name in readings.columns if name not in ("machine", "time"))
        self.readings = readings.sort_values(["machine", "time"], kind="stable", ignore_index=True)
        self.known_events = events_table(events)
        self.most_rows_read = 0

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings sorted by (machine, time); asked signals without data are null."""
        found = _within(self.readings, machines, start, end)
        self.most_rows_read = max(self.most_rows_read, len(found))
        names = tuple(self.signals if signals is None else signals)
        columns = {name: found.get(name, pd.Series(np.nan, index=found.index)) for name in names}
        table = pd.DataFrame({"machine": found["machine"], "time": found["time"], "arrived": found["time"], **columns})
        schema = readings_schema(names)
        arrays = [pa.array(table[name], type=schema.field(name).type, from_pandas=True) for name in schema.names]
        return Readings(machine_class, pa.table(arrays, schema=schema))

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events sorted by time."""
        found = _within(self.known_events, machines, start, end)
        return (found if kinds is None else found[found["kind"].isin(list(kinds))]).reset_index(drop=True)

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the states of (start, end], and of each machine those that began last before it."""
        own = self.events(machines=machines, kinds=["state"], end=end)
        own = own[own["component"] == ""]
        last = own["time"].where(own["time"] <= start).groupby(own["machine"]).transform("max")
        return own[(own["time"] > start) | (own["time"] == last)].reset_index(drop=True)

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and the newest event time of each machine."""
        by_machine = self.readings.groupby("machine")["time"]
        return {
            str(machine): (first.to_pydatetime(), newest.to_pydatetime())
            for machine, first, newest in zip(by_machine.min().index, by_machine.min(), by_machine.max(), strict=True)
        }

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings, remembering nothing."""
        return list(work(range(len(keys))))


def readings_frame(machine: str, minutes: ArrayLike, **signals: ArrayLike) -> pd.DataFrame:
    """Return readings of one machine at minutes after ``START``."""
    steps = np.rint(np.asarray(minutes, dtype=np.float64) * 60e6).astype("timedelta64[us]")
    times = pd.DatetimeIndex(np.datetime64(START.replace(tzinfo=None), "us") + steps, tz="UTC")
    return pd.DataFrame({"machine": machine, "time": times, **signals})


def after(**span: float) -> datetime:
    """Return a time after ``START``."""
    return START + timedelta(**span)


def _within(
    table: pd.DataFrame, machines: Sequence[str] | None, start: datetime | None, end: datetime | None
) -> pd.DataFrame:
    keep = pd.Series(data=True, index=table.index)
    if machines is not None:
        keep &= table["machine"].isin(list(machines))
    if start is not None:
        keep &= table["time"] > start
    if end is not None:
        keep &= table["time"] <= end
    return table[keep]
