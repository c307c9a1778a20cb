"""Readings one by one (machine, time, signal, value), gathered into columns and decoded together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ingest.decode.json import column
from ingest.decode.mapping import resolve
from ingest.decode.rows import Decoded, RowDecoder
from ingest.plant import Plant, Source
from ingest.reading import TIME
from ingest.turned_away import TurnedAway

_NAMES = ("machine", "time", "signal", "value")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS_AT_ONCE = 3_000
"""So few that all that is turned away is listed."""


class LongRows:
    """Readings that wait to be decoded; it remembers from one decoding to the next what ``RowDecoder`` does.

    Attributes
    ----------
    origins, machines, signals, values, times : one entry for each reading, in the order of arrival: number
        of the message that it came with, and what stood there. Values are bytes of text, or what JSON has.

    Parameters
    ----------
    given : keys of a source of the plant file that say how times and numbers are written
    stamped : whether times are microseconds since 1970, UTC, of our own clock
    """

    def __init__(self, plant: Plant, given: Mapping[str, Any], *, stamped: bool = False) -> None:
        source = Source(
            name="stream",
            path="-",
            machine=["machine"],
            time="time",
            signal_column="signal",
            value_column="value",
            **given,
        )
        mapping = resolve(source, plant, _NAMES, "the message")
        self._decoder = RowDecoder(plant, mapping, now=_NEVER, old_after=plant.old_after)
        self._stamped = stamped
        self.clear()

    def clear(self) -> None:
        """Forget what waits."""
        self.origins: list[int] = []
        self.machines: list[str] = []
        self.times: list[Any] = []
        self.signals: list[str] = []
        self.values: list[Any] = []

    def add(self, origin: int, machine: str, time: Any, signal: str, value: Any) -> None:
        """Put one reading behind the others."""
        self.origins.append(origin)
        self.machines.append(machine)
        self.times.append(time)
        self.signals.append(signal)
        self.values.append(value)

    def decode(self, now: datetime) -> list[Decoded]:
        """Decode what waits; a line in the rejections is the message's number, counted from 1.

        Parameters
        ----------
        now : time of arrival
        """
        self._decoder.arrival = now
        try:
            return [self._decode(at, at + _ROWS_AT_ONCE) for at in range(0, len(self.origins), _ROWS_AT_ONCE)]
        finally:
            self.clear()

    def _decode(self, begin: int, end: int) -> Decoded:
        origins, times = self.origins[begin:end], self.times[begin:end]
        table = pa.table(
            [
                pa.array(self.machines[begin:end], pa.string()),
                pa.array(times, pa.int64()).cast(TIME) if self._stamped else column(times),
                pa.array(self.signals[begin:end], pa.string()),
                _values(self.values[begin:end]),
            ],
            names=list(_NAMES),
        )
        return self._decoder.decode(table, lambda row: origins[row] + 1)


def _values(cells: list[Any]) -> pa.Array | pa.ChunkedArray:
    if not isinstance(cells[0], bytes):
        return column(cells)
    try:
        return pa.array(cells, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([each.decode("utf-8", "replace") for each in cells], pa.string())


def together(parts: list[Decoded]) -> Decoded:
    """Return several decodings as one."""
    return Decoded(
        readings=[each for part in parts for each in part.readings],
        rejections=[each for part in parts for each in part.rejections],
        rejected=sum(part.rejected for part in parts),
        rows=sum(part.rows for part in parts),
        used=sum(part.used for part in parts),
        missing=sum(part.missing for part in parts),
        turned_away=sum((part.turned_away for part in parts), TurnedAway()),
    )
