"""Speed and memory of a year of a plant: ``python -m tests.benchmarks.year [--json] [--quick]``.

1,000 machines × 20 signals × 1 year at 1 min are 10.5 thousand million readings: 84 GB as numbers. They lie
nowhere: a machine's readings are made when its features are asked for, and forgotten then. Some machines are done
one after the other, with the default recipe of a failure risk that looks 24 h ahead (windows of 3 h, 24 h and 7 d
every hour). What a machine takes is the median of these, and what all take is that times their number; a machine
knows nothing of the others, so memory is that of one. The time in which readings are made is not counted.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.extract import extract
from features.recipe import Recipe
from features.recipe_for import recipe_for
from ingest.event import NO_EVENTS
from ingest.plant import MachineClass, ModelEntry, Signal
from ingest.reading import TIME, Readings
from tests.benchmarks.extraction import START
from tests.benchmarks.window_peers import peak_megabytes

MACHINES = 1000
SIGNALS = tuple(f"signal{each}" for each in range(20))
DAYS = 365
MINUTE = timedelta(minutes=1)
GOAL_MEGABYTES = 1000
GOAL_VALUES_PER_SECOND = 5_000_000


class LazyHistory:
    """A year of machines of which each reading is made when it is asked for, and is the same whenever that is."""

    def __init__(self, days: int) -> None:
        self.end = START + timedelta(days=days)
        self.seconds = 0.0
        self.values = 0

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of machines in (start, end]: a swing of a day and noise about a level that drifts."""
        begun = time.process_time()
        first = max((start - START) // MINUTE, 0) if start else 0
        last = (min(end or self.end, self.end) - START) // MINUTE
        minutes, names = np.arange(first + 1, last + 1), list(machines or ())
        stamps = np.datetime64(START.replace(tzinfo=None), "us") + minutes * np.timedelta64(1, "m")
        times = pa.array(np.tile(stamps, len(names))).cast(TIME)
        swing = np.sin(minutes * (2 * np.pi / 1440)) + minutes / 1e6
        columns: dict[str, Any] = {
            "machine": pa.array(names)
            .dictionary_encode()
            .take(pa.array(np.repeat(np.arange(len(names)), len(minutes)))),
            "time": times,
            "arrived": times,
        }
        for signal in SIGNALS if signals is None else signals:
            parts = [50 + swing + _noise(name, signal, minutes) for name in names]
            columns[signal] = pa.array(np.concatenate(parts))
        self.values += len(times) * (len(columns) - 3)
        self.seconds += time.process_time() - begun
        return Readings(machine_class, pa.table(columns))

    def events(self, **_: Any) -> pd.DataFrame:
        """Return none."""
        return NO_EVENTS

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return none."""
        return NO_EVENTS

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
        """Return the whole time for every machine."""
        return dict.fromkeys((f"m{each:04d}" for each in range(MACHINES)), (START + MINUTE, self.end))


def _noise(machine: str, signal: str, minutes: Any) -> Any:
    """Return noise that depends on the machine, the signal and the minute alone, from −1 to 1."""
    seed = int(machine[1:]) * 1000 + int(signal.removeprefix("signal"))
    mixed = (minutes.astype(np.uint64) + np.uint64(seed << 32)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(11)) * 2.0**-52 - 1


def year_recipe() -> Recipe:
    """Return the recipe that a failure risk with a horizon of 24 h gets when its entry says nothing else."""
    entry = ModelEntry.model_validate({"name": "risk", "task": "failure_risk", "class": "press", "horizon": "24 h"})
    machine_class = MachineClass(name="press", signals=[Signal(name=each) for each in SIGNALS])
    return recipe_for(entry, machine_class, sampling=dict.fromkeys(SIGNALS, MINUTE))


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the benchmark: name, value, unit, goal, and how it was come by."""
    recipe, days, machines = year_recipe(), 60 if quick else DAYS, 1 if quick else 3
    extract(recipe, LazyHistory(1), ["m0000"], START, START + timedelta(days=1))
    before, seconds, rows = peak_megabytes(anew=True), [], 0
    for number in range(machines):
        history, begun = LazyHistory(days), time.process_time()
        rows = len(extract(recipe, history, [f"m{number:04d}"], START, history.end))
        seconds.append(time.process_time() - begun - history.seconds)
    peak = peak_megabytes()
    one = days * 1440 * len(SIGNALS)
    speed = one / statistics.median(seconds)
    whole = MACHINES * DAYS * 1440 * len(SIGNALS)
    by_one = f"{days} d × 1440 × {len(SIGNALS)} = {one / 1e6:.2f} M values of a machine in {one / speed:.2f} s"
    of_all = (
        f"{MACHINES} machines × {DAYS} d × 1440 × {len(SIGNALS)} = {whole / 1e9:.2f} G values / {speed / 1e6:.1f} M/s"
    )
    columns = len(recipe.columns)
    return [
        _row("a year machine by machine", round(speed), "values/processor second", GOAL_VALUES_PER_SECOND, by_one),
        _row("1,000 machines on one core", round(whole / speed / 60, 1), "min", None, of_all),
        _row(
            "1,000 machines on two cores", round(whole / speed / 120, 1), "min", None, "half of it, machine by machine"
        ),
        _row("peak memory of the process", round(peak, 1), "MB", GOAL_MEGABYTES, f"{before:.0f} MB before the first"),
        _row("features of a machine", rows * columns, "numbers", None, f"{rows} rows × {columns} columns"),
    ]


def _row(name: str, value: float, unit: str, goal: int | None, arithmetic: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "arithmetic": arithmetic}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="two months of one machine")
    asked = parser.parse_args()
    found = measure(quick=asked.quick)
    if asked.json:
        print(json.dumps(found, indent=1))
        return
    for row in found:
        goal = f" (goal {row['goal']:,})" if row["goal"] else ""
        print(f"{row['name']}: {row['value']:,} {row['unit']}{goal}; {row['arithmetic']}")


if __name__ == "__main__":
    main()
