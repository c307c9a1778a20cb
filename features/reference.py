"""Readings as they would be if machines were always run alike."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.column import span_text
from features.microsecond import microseconds
from ingest.duration import parse_duration
from ingest.history import ReadingsView
from ingest.reading import Readings

Floats = NDArray[np.float64]
Numbers = tuple[float, ...]

_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class Reference:
    """Points at which machines are run, and what their signals read there.

    A machine may be told to do something else with every reading. Then no window is steady, and what wear adds
    drowns in what the orders change. So each reading is referred to one condition before any window is
    summarised: it lies as many standard deviations from the usual as it does among the readings of its own
    point. It keeps its unit.

    Attributes
    ----------
    operating : signals that say what a machine is told to do
    centre, scale : of each of them; points and ``reach`` are in (value − centre) / scale
    points : shape (n_points, n_operating)
    reach : a reading farther from all points than this is made at a point that is not known, and left out
    signals : those that are referred
    level, spread : mean and standard deviation of each at each point, shape (n_points, n_signals)
    usual, width : mean and standard deviation that each is referred to, shape (n_signals,)
    hold : how long a value of an operating signal holds when no other comes
    """

    operating: tuple[str, ...]
    centre: Numbers
    scale: Numbers
    points: tuple[Numbers, ...]
    reach: float
    signals: tuple[str, ...]
    level: tuple[Numbers, ...]
    spread: tuple[Numbers, ...]
    usual: Numbers
    width: Numbers
    hold: timedelta

    def point_of(self, orders: Floats) -> NDArray[np.intp]:
        """Return the nearest point of each row of ``operating``, shape (n_rows, n_operating); −1 if not known."""
        if not len(orders):
            return np.empty(0, np.intp)
        places = (orders - np.array(self.centre)) / np.array(self.scale)
        away = np.stack([np.sqrt(((places - np.array(point)) ** 2).sum(axis=1)) for point in self.points], axis=1)
        nearest = np.where(np.isfinite(away), away, np.inf).argmin(axis=1)
        return np.where(away[np.arange(len(away)), nearest] <= self.reach, nearest, -1)

    def referred(self, signal: str, values: Floats, point: NDArray[np.intp]) -> Floats:
        """Return readings of a signal at the reference, NaN where the point is not known."""
        place = self.signals.index(signal)
        level, spread = (np.array([each[place] for each in one]) for one in (self.level, self.spread))
        usual, width = self.usual[place], self.width[place]
        small = _NO_SPREAD * (np.abs(level) + width)
        factor = np.where((spread > small) & (width > small), width / np.maximum(spread, small), 1.0)
        return np.where(point >= 0, usual + (values - level[point]) * factor[point], np.nan)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; ``from_dict`` reads it back."""
        return {
            "operating": list(self.operating),
            "centre": list(self.centre),
            "scale": list(self.scale),
            "points": [list(each) for each in self.points],
            "reach": self.reach,
            "signals": list(self.signals),
            "level": [list(each) for each in self.level],
            "spread": [list(each) for each in self.spread],
            "usual": list(self.usual),
            "width": list(self.width),
            "hold": span_text(self.hold),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        numbers: dict[str, Any] = {
            name: tuple(data[name]) for name in ("operating", "centre", "scale", "signals", "usual", "width")
        }
        tables: dict[str, Any] = {
            name: tuple(tuple(each) for each in data[name]) for name in ("points", "level", "spread")
        }
        return cls(**numbers, **tables, reach=data["reach"], hold=parse_duration(data["hold"]))


@dataclass(frozen=True, slots=True)
class ReferredHistory(ReadingsView):
    """Gives the readings of a history at a reference; itself a ``History``."""

    reference: Reference

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of (start, end], referred; null where it is not known how the machine was run."""
        reference = self.reference
        asked = None if signals is None else tuple(dict.fromkeys([*signals, *reference.operating]))
        before = None if start is None else start - reference.hold
        found = self.history.read(machine_class, machines=machines, signals=asked, start=before, end=end)
        table = found.table
        time = table["time"].cast(pa.int64()).to_numpy()
        machine = table["machine"].cast(pa.string()).combine_chunks().dictionary_encode().indices.to_numpy()
        point = reference.point_of(_held(_columns(table, reference.operating), machine, time, reference.hold))
        for name in reference.signals:
            if name in table.column_names:
                values = reference.referred(name, table[name].to_numpy(), point)
                place = table.column_names.index(name)
                table = table.set_column(place, table.schema.field(place), pa.array(values, from_pandas=True))
        if start is not None:
            table = table.filter(pc.greater(table["time"], pa.scalar(start, table["time"].type)))
        if signals is not None:
            table = table.drop_columns([name for name in reference.operating if name not in signals])
        return replace(found, table=table)

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings in (start, end]; remembered apart for each reference."""
        marked = [(key, self.reference) for key in keys]
        return self.history.derived(machine_class, start - self.reference.hold, end, marked, work)


def _columns(table: pa.Table, names: Sequence[str]) -> Floats:
    found = np.full((table.num_rows, len(names)), np.nan)
    for place, name in enumerate(names):
        if name in table.column_names:
            found[:, place] = table[name].to_numpy()
    return found


def _held(orders: Floats, machine: NDArray[np.integer[Any]], time: NDArray[np.int64], hold: timedelta) -> Floats:
    """Return orders in which the newest value of each machine stands until the next, no longer than ``hold``.

    Parameters
    ----------
    orders : NaN where not read, shape (n_rows, n_operating), rows sorted by (machine, time)
    """
    missing = np.isnan(orders)
    if not missing.any():
        return orders
    row = np.arange(len(orders))[:, np.newaxis]
    newest = np.maximum.accumulate(np.where(missing, -1, row), axis=0)
    own = (newest >= 0) & (machine[newest] == machine[:, np.newaxis])
    own &= time[:, np.newaxis] - time[newest] <= microseconds(hold)
    return np.where(own, np.take_along_axis(orders, np.maximum(newest, 0), axis=0), np.nan)
