"""A history in memory: what tests of features and models read from."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from features.microsecond import moment
from ingest.event import Event, events_table
from ingest.memory import Memory
from ingest.reading import TIME, Readings, readings_schema

START = datetime(2026, 1, 5, tzinfo=UTC)
_BEFORE_ALL, _AFTER_ALL = (int(each) for each in (np.iinfo(np.int64).min, np.iinfo(np.int64).max))


class TableHistory:
    """The promises of ``History``, kept with pandas: sorted, one row per machine and time, spans (start, end]."""

    def __init__(self, readings: pd.DataFrame, events: Iterable[Event] = ()) -> None:
        self.signals = tuple(name for name in readings.columns if name not in ("machine", "time"))
        self.readings = readings.sort_values(["machine", "time"], kind="stable", ignore_index=True)
        self.known_events = events_table(events)
        self.most_rows_read = 0
        self._memory = Memory()
        self._converted: tuple[pd.DataFrame, pa.Table] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel with the readings, and without what was made of them."""
        return self.__dict__ | {"_memory": None, "_converted": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state | {"_memory": Memory()}

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
        found = self._arrow()
        keep = np.ones(found.num_rows, np.bool_)
        if machines is not None:
            keep &= pc.is_in(found["machine"], value_set=pa.array(machines, pa.string())).to_numpy()
        times = found["time"].cast(pa.int64()).to_numpy()
        keep &= times > (_BEFORE_ALL if start is None else moment(start))
        keep &= times <= (_AFTER_ALL if end is None else moment(end))
        found = found.filter(pa.array(keep))
        self.most_rows_read = max(self.most_rows_read, found.num_rows)
        names = tuple(self.signals if signals is None else signals)
        schema = readings_schema(names)
        return Readings(
            machine_class,
            pa.table(
                [
                    (found[name] if name in found.column_names else pa.nulls(found.num_rows)).cast(
                        schema.field(name).type
                    )
                    for name in schema.names
                ],
                schema=schema,
            ),
        )

    def _arrow(self) -> pa.Table:
        """Return all readings as they are now, converted once."""
        if self._converted is None or self._converted[0] is not self.readings:
            own = self.readings
            signals = {name: pa.array(own[name], pa.float64(), from_pandas=True) for name in self.signals}
            time = pa.array(own["time"]).cast(TIME)
            self._converted = (
                own,
                pa.table({"machine": pa.array(own["machine"], pa.string()), "time": time, "arrived": time, **signals}),
            )
        return self._converted[1]

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
        if not len(own):
            return own
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
        """Return what ``work`` makes of the readings, and remember it: they never change."""
        return self._memory.recall(None, [(machine_class, start, end, key) for key in keys], work)


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
    keep = np.ones(len(table), np.bool_)
    times = table["time"].to_numpy("datetime64[us]").astype(np.int64)
    if machines is not None:
        asked = set(machines)
        keep &= np.fromiter((name in asked for name in table["machine"]), np.bool_, len(table))
    keep &= times > (_BEFORE_ALL if start is None else moment(start))
    keep &= times <= (_AFTER_ALL if end is None else moment(end))
    return table[keep]
