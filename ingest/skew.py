"""Clocks that run ahead of ours, or behind: seen in how long readings take from their own time to their arrival."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.ahead import AHEAD, ALLOWANCE
from ingest.decode.old import OLD
from ingest.duration import format_duration
from ingest.plant import Plant
from ingest.store import Store

ROWS_LOOKED_AT = 1_000
"""About how many of each machine's newest rows are looked at."""

LEAST_ARRIVALS = 10
"""Rows that arrived together, as those of a file do, say nothing about a clock."""

LEAST_AHEAD = timedelta(minutes=1)
STEADY = 4
"""A delay is that of a clock, and not of a network, where it is so many times its own spread."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Skew:
    """How long the newest readings of one machine took to arrive: median, and the middle nine tenths of them.

    Negative where they arrived before their own time.
    """

    machine: str
    rows: int
    delay: timedelta
    least: timedelta
    most: timedelta

    @property
    def says(self) -> str:
        """One line for people, empty where the clock seems right."""
        if self.delay <= -LEAST_AHEAD and self.most < timedelta(0):
            which = f"{_rough(-self.delay)} ahead of"
        elif self.delay > ALLOWANCE and STEADY * (self.most - self.least) < self.delay:
            which = f"{_rough(self.delay)} behind"
        else:
            return ""
        return (
            f"machine {self.machine!r}: its clock seems {which} ours (the newest {self.rows:,} rows took from"
            f" {_seconds(self.least)} to {_seconds(self.most)} s to arrive); set it right, or look at time_zone"
        )


def skews(plant: Plant, store: Store) -> Iterator[Skew]:
    """Yield what the newest readings of each machine that sends a stream say about its clock."""
    for each in plant.classes:
        spans = {name: span for name, span in store.spans(each.name).items() if name in plant.machines_of(each.name)}
        if not spans:
            continue
        first, newest = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
        share = min(1.0, ROWS_LOOKED_AT * len(spans) / max(1, store.rows(each.name)))
        start = newest - (newest - first) * share - _MICROSECOND
        table = store.read(each.name, signals=(), start=start, end=newest).table
        arrived, time = (table[name].cast(pa.int64()).to_numpy() for name in ("arrived", "time"))
        machines = table["machine"].combine_chunks().dictionary_encode()
        starts = np.flatnonzero(np.diff(machines.indices.to_numpy(), prepend=-1))
        parts = zip(np.split(arrived, starts[1:]), np.split(arrived - time, starts[1:]), strict=True)
        for name, (arrivals, delays) in zip(machines.dictionary.to_pylist(), parts, strict=False):
            if name in spans and len(np.unique(arrivals)) >= LEAST_ARRIVALS:
                yield _skew(name, delays)


def clock_problems(plant: Plant, store: Store) -> list[str]:
    """Return one line for each machine whose clock seems wrong, and for each source whose times were ahead of us."""
    lines = [each.says for each in skews(plant, store) if each.says]
    return [
        *lines,
        *(
            f"source {source!r}: {count:,} rows were turned away, because they were more than"
            f" {format_duration(ALLOWANCE)} ahead of their arrival; is its clock or time_zone right?"
            for source, count in store.rejected_for(AHEAD).items()
        ),
        *(
            f"source {source!r}: {count:,} rows were turned away, because they were more than"
            f" {format_duration(plant.old_after)} older than their arrival; did its clock lose the time?"
            for source, count in store.rejected_for(OLD).items()
        ),
    ]


def _skew(machine: str, delays: NDArray[np.int64]) -> Skew:
    least, middle, most = (int(each) * _MICROSECOND for each in np.quantile(delays, [0.05, 0.5, 0.95]))
    return Skew(machine, len(delays), middle, least, most)


def _rough(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():,.0f}"
