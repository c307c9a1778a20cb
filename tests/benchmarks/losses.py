"""A year of a line in buckets: ``python -m tests.benchmarks.losses [--json] [--quick]``.

Twenty machines whose states were sampled every second (631 million of them) and that made 5 million pieces, each
counted with its own event; three shifts with breaks, a calendar with both changes of the clock. Machines come one
after the other, as from a store; making one up is not measured, and its samples are let go of before the next. Two
inputs are measured: arrays of samples, and tables of events (one for each change of state, one for each piece). Memory
is what the process holds at most above its start while it works, the input of the machine in hand included. Seconds are
those of the processor, which others on the same computer change less than those of the clock. How long a store takes
to hand out the events of one machine is measured on its own.
"""

import argparse
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import psutil

from features.microsecond import moment
from features.production.bucket import MEANINGS, NAMES, RUNNING
from features.production.ledger import ledger_of
from features.production.pieces import Pieces
from features.production.plant_ledger import plant_ledger
from features.production.stretches import Stretches
from features.production.told import Lexicon, Told, told_of
from ingest.plant import Plant
from ingest.store import Store
from models.efficiency.oee import oee_of

START, STOP = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)
SECOND = 1_000_000
WORDS = {name: [name.upper()] for name in MEANINGS[:9]}
PLANT = Plant.model_validate(
    {
        "time_zone": "Europe/Berlin",
        "classes": [{"name": "press", "signals": [{"name": "power"}]}],
        "machines": [{"name": f"press-{each}", "class": "press", "line": "A"} for each in range(1, 21)],
        "products": [{"name": "cap", "ideal_cycle": "60 s"}, {"name": "lid", "ideal_cycle": "45 s"}],
        "shifts": [
            {"name": "early", "hours": "06:00-14:00", "breaks": ["09:00-09:15"]},
            {"name": "late", "hours": "14:00-22:00", "breaks": ["18:00-18:15"]},
            {"name": "night", "hours": "22:00-06:00", "breaks": ["02:00-02:30"]},
        ],
        "production": {"words": WORDS, "closed": ["2026-12-25"], "hour_value": 90},
    }
)


def states(chance: np.random.Generator, seconds: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Return what a machine did in each second: it runs for about 5 min between stops of about 1 min of all kinds."""
    lengths = chance.exponential(300, seconds // 100).astype(np.int64) + 1
    lengths[1::2] = chance.exponential(60, len(lengths[1::2])).astype(np.int64) + 1
    what = np.full(len(lengths), RUNNING, np.int8)
    what[1::2] = chance.integers(1, 9, len(what[1::2]))
    return np.repeat(what, lengths)[:seconds]


def counts(chance: np.random.Generator, pieces: int) -> Pieces:
    """Return pieces counted one by one; every 500th count changes the product."""
    times = np.sort(chance.integers(moment(START) + 1, moment(STOP), pieces))
    product = np.arange(pieces) // 500 % 2
    return Pieces(times, times, product, (chance.random(pieces) < 0.02).astype(np.int64), np.ones(pieces))


def as_told(samples: np.ndarray[Any, np.dtype[np.int8]], pieces: Pieces) -> Told:
    """Return what arrays tell."""
    lexicon = Lexicon()
    for meaning in range(len(MEANINGS)):
        lexicon.number(meaning)
    nothing = np.empty(0, np.int64)
    return Told(
        layers=(Stretches.of_samples(moment(START), SECOND, samples),),
        lexicon=lexicon,
        products=("cap", "lid"),
        orders=Stretches(nothing, nothing, nothing),
        pieces=pieces,
    )


def as_events(machine: str, samples: np.ndarray[Any, np.dtype[np.int8]], pieces: Pieces) -> pd.DataFrame:
    """Return the same as a table of events, as a store hands it out."""
    changes = Stretches.of_samples(moment(START), SECOND, samples)
    words = np.array([name.upper() for name in MEANINGS], object)
    count = len(changes.begin)
    rows = count + len(pieces.time)
    stamps = np.concatenate([changes.begin, pieces.time]).view("datetime64[us]")
    products, outcomes = np.array(["cap", "lid"], object), np.array(["good", "scrap"], object)
    table = pd.DataFrame(
        {
            "machine": np.full(rows, machine, object),
            "kind": np.repeat(np.array(["state", "count"], object), [count, rows - count]),
            "time": pd.DatetimeIndex(stamps).tz_localize("UTC"),
            "end": pd.DatetimeIndex(np.full(rows, "NaT", "datetime64[us]")).tz_localize("UTC"),
            "component": np.concatenate([np.full(count, "", object), products[pieces.product]]),
            "code": np.concatenate([words[changes.what], outcomes[pieces.outcome]]),
            "value": np.concatenate([np.full(count, np.nan), pieces.amount]),
            "note": np.full(rows, "", object),
        }
    )
    return table.sort_values("time", kind="stable", ignore_index=True)


class Peak:
    """The most memory that the process held while a machine was worked on, in MB above what it held before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._process.memory_info().rss
        self._most = 0
        self._over = threading.Event()

    def __enter__(self) -> "Peak":
        self._over.clear()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self._most = max(self._most, self._process.memory_info().rss)

    @property
    def megabytes(self) -> float:
        """The peak so far."""
        return max(self._most - self._before, 0) / 1e6


def measure(machines: int, pieces: int, *, events: bool) -> tuple[float, float, int]:
    """Return seconds of processor time, peak megabytes, and how many states or changes of state there were."""
    took, said, tables = 0.0, 0, []
    peak = Peak()
    for number, each in enumerate(PLANT.machines[:machines]):
        chance = np.random.default_rng(number)
        samples = states(chance, (moment(STOP) - moment(START)) // SECOND)
        counted = counts(chance, pieces)
        table = as_events(each.name, samples, counted) if events else None
        said += len(samples) if table is None else len(table) - pieces
        with peak:
            begun = time.process_time()
            told = as_told(samples, counted) if table is None else told_of(PLANT, each.name, table, moment(STOP))
            tables.append(ledger_of(PLANT, each.name, told, moment(START), moment(STOP)).table)
            took += time.process_time() - begun
        del samples, counted, table, told
    begun = time.process_time()
    whole = pd.concat(tables, ignore_index=True)
    figures = oee_of(whole)
    took += time.process_time() - begun
    if int(whole[list(NAMES)].to_numpy().sum()) != machines * (moment(STOP) - moment(START)) or figures.oee is None:
        raise ValueError("the buckets do not add up to calendar time")
    return took, peak.megabytes, said


def from_store(pieces: int) -> tuple[float, float]:
    """Return how many seconds a store takes to hand out one machine's events, and to its ledger, of processor time."""
    chance = np.random.default_rng(0)
    samples = states(chance, (moment(STOP) - moment(START)) // SECOND)
    table = as_events("press-1", samples, counts(chance, pieces))
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.add_events(table, source="benchmark")
        begun = time.process_time()
        plant_ledger(PLANT, store, ["press-1"], START, STOP)
        took = time.process_time() - begun
        begun = time.process_time()
        store.events(machines=["press-1"], start=START - timedelta(days=1), end=STOP)
        handed = time.process_time() - begun
        store.close()
    return handed, took


def rows(machines: int, pieces: int) -> Iterator[dict[str, Any]]:
    """Yield what was measured."""
    for events, what in ((False, "samples of 1 s"), (True, "events")):
        took, megabytes, said = measure(machines, pieces, events=events)
        shape = f"{machines} machines, a year, {said:,} {'changes of state' if events else 'samples'}"
        yield {
            "name": f"ledger and OEE from {what}: {shape}, {machines * pieces:,} pieces",
            "value": took,
            "unit": "s",
            "goal": 5,
        }
        yield {"name": f"memory above start, {what}", "value": megabytes, "unit": "MB", "goal": 500}
    handed, took = from_store(pieces)
    yield {
        "name": f"store hands out one machine's year, {pieces:,} pieces",
        "value": handed,
        "unit": "s of processor",
        "goal": None,
    }
    yield {"name": "store to ledger, the same machine", "value": took, "unit": "s of processor", "goal": None}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two machines")
    arguments = parser.parse_args()
    found = list(rows(2 if arguments.quick else 20, 250_000))
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for row in found:
        goal = f"  (goal {row['goal']})" if row["goal"] else ""
        print(f"{row['name']}: {row['value']:,.2f} {row['unit']}{goal}")


if __name__ == "__main__":
    main()
