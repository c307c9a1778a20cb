"""Speed and memory of feature tables; its rows are part of ``python -m tests.benchmarks.features``.

1,000 machines × 10 signals × 1 day at 1 min, with the default recipe of a failure risk that looks 24 h
ahead: windows of 3 h, 24 h and 7 d every hour. Readings lie in memory as an Arrow table, so that the
store is not measured here. The peer is pandas' ``rolling`` with the same windows and the statistics
that it has of its own (mean, deviation, extremes, skewness, kurtosis; no slope, crest or clocks), on a
share of the machines, in the same run. Each contender runs in a process of its own; the median of
several runs is printed, on the wall and on the processor (one core; other work on the machine slows
the first only), with the peak memory that it needed beyond its input.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.extract import extract
from features.recipe import Recipe
from features.recipe_for import recipe_for
from ingest.event import Event, events_table
from ingest.plant import MachineClass, ModelEntry, Signal
from ingest.reading import TIME, Readings

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNALS = 10
MINUTES = 1440
GOAL_VALUES_PER_SECOND = 5_000_000
ROWS = ("seconds", "processor_seconds", "values_per_second", "features_per_second", "peak_megabytes", "input_megabytes")


class ArrowHistory:
    """Steady readings of many machines in one sorted Arrow table; a span is a slice of it."""

    def __init__(self, machines: int, minutes: int, gaps: float = 0.0) -> None:
        random = np.random.default_rng(0)
        self.names = [f"m{each:05d}" for each in range(machines)]
        self.minutes = minutes
        times = np.datetime64(START.replace(tzinfo=None), "us") + (np.arange(minutes) + 1) * np.timedelta64(1, "m")
        stamps = pa.array(np.tile(times, machines)).cast(TIME)
        columns: dict[str, Any] = {
            "machine": pa.array(np.repeat(self.names, minutes)),
            "time": stamps,
            "arrived": stamps,
        }
        for signal in range(SIGNALS):
            values = random.normal(50, 3, machines * minutes)
            missing = random.random(len(values)) < gaps if gaps else None
            columns[f"signal{signal}"] = pa.array(values, mask=missing)
        self.table = pa.table(columns)
        self.known_events = events_table(
            Event(machine=name, kind="error", code="E1", time=START + timedelta(hours=5)) for name in self.names[::10]
        )

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of neighbouring machines in (start, end]."""
        wanted = list(machines or self.names)
        place = self.names.index(wanted[0])
        if wanted != self.names[place : place + len(wanted)]:
            raise ValueError("the benchmark asks for neighbouring machines only")
        minute = timedelta(minutes=1)
        begin = 0 if start is None else min(max((start - START) // minute, 0), self.minutes)
        stop = self.minutes if end is None else min(max((end - START) // minute, 0), self.minutes)
        found = self.table.slice(place * self.minutes, len(wanted) * self.minutes)
        if (begin, stop) != (0, self.minutes):
            parts = [found.slice(each * self.minutes + begin, stop - begin) for each in range(len(wanted))]
            found = pa.concat_tables(parts)
        names = ["machine", "time", "arrived", *(found.column_names[3:] if signals is None else signals)]
        return Readings(machine_class, found.select(names))

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return all events; the benchmark has few."""
        return self.known_events

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return none."""
        return self.known_events.iloc[:0]

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

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the same span for every machine."""
        minute = timedelta(minutes=1)
        return dict.fromkeys(self.names, (START + minute, START + self.minutes * minute))


def default_recipe() -> Recipe:
    """Return the recipe that a failure risk with a horizon of 24 h gets when its entry says nothing else."""
    entry = ModelEntry.model_validate({"name": "risk", "task": "failure_risk", "class": "press", "horizon": "24 h"})
    signals = [Signal(name=f"signal{each}") for each in range(SIGNALS)]
    machine_class = MachineClass(name="press", signals=signals)
    sampling = {signal.name: timedelta(minutes=1) for signal in machine_class.signals}
    return recipe_for(entry, machine_class, sampling=sampling, error_codes=["E1"])


def run_andon(machines: int, gaps: float) -> dict[str, float]:
    """Return the figures of one extraction of a whole day."""
    history, recipe = ArrowHistory(machines, MINUTES, gaps), default_recipe()
    before, begin = _peak_megabytes(), _clocks()
    table = extract(recipe, history, history.names, START, START + timedelta(days=1))
    return _figures(begin, machines, table.values.size, before, history.table.nbytes)


def run_pandas(machines: int, gaps: float) -> dict[str, float]:
    """Return the figures of pandas' rolling windows by time, evaluated every hour, for the same day."""
    history, recipe = ArrowHistory(machines, MINUTES, gaps), default_recipe()
    before, begin = _peak_megabytes(), _clocks()
    frame = history.table.drop_columns(["arrived"]).to_pandas().set_index("time")
    size = 0
    for _, group in frame.groupby("machine"):
        signals = group.drop(columns="machine")
        for window in recipe.windows:
            rolling = signals.rolling(window, min_periods=3)
            for name in ("mean", "std", "min", "max", "skew", "kurt"):
                size += getattr(rolling, name)().iloc[59::60].size
    return _figures(begin, machines, size, before, history.table.nbytes)


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _figures(
    begin: tuple[float, float], machines: int, features: int, before: float, input_bytes: int
) -> dict[str, float]:
    seconds, processor = (now - then for now, then in zip(_clocks(), begin, strict=True))
    return {
        "seconds": seconds,
        "processor_seconds": processor,
        "values_per_second": machines * SIGNALS * MINUTES / seconds,
        "features_per_second": features / seconds,
        "peak_megabytes": _peak_megabytes() - before,
        "input_megabytes": input_bytes / 1e6,
    }


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _in_child(contender: str, machines: int, gaps: float, runs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.extraction", contender, str(machines), str(gaps)]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
    return {name: statistics.median(each[name] for each in found) for name in ROWS}


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the benchmark: name, value, unit, goal, peer, peer_value, ratio (of speed)."""
    machines, peers, runs = (100, 5, 1) if quick else (1000, 20, 3)
    units = {
        "values_per_second": "values/s",
        "features_per_second": "features/s",
        "seconds": "s",
        "processor_seconds": "s",
    }
    rows = []
    for label, gaps in (("full", 0.0), ("5 % missing", 0.05)):
        ours, theirs = (_in_child(name, count, gaps, runs) for name, count in (("andon", machines), ("pandas", peers)))
        for name in ("seconds", "processor_seconds"):
            theirs[name] *= machines / peers
        for name in ROWS:
            faster = not name.endswith("seconds")
            compared = name in units
            ratio = (ours[name] / theirs[name]) if faster else (theirs[name] / ours[name])
            rows.append(
                {
                    "name": f"{name}, {machines} machines × {SIGNALS} signals × 1 day at 1 min, {label}",
                    "value": round(ours[name], 3),
                    "unit": units.get(name, "MB"),
                    "goal": GOAL_VALUES_PER_SECOND if name == "values_per_second" else None,
                    "peer": f"pandas rolling, scaled from {peers} machines" if compared else None,
                    "peer_value": round(theirs[name], 3) if compared else None,
                    "ratio": round(ratio, 1) if compared else None,
                }
            )
    return rows


def main() -> None:
    """Print the figures of one run of one contender."""
    contender, machines, gaps = sys.argv[1:4]
    run = {"andon": run_andon, "pandas": run_pandas}[contender]
    print(json.dumps(run(int(machines), float(gaps))))


if __name__ == "__main__":
    main()
