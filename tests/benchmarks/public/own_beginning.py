"""Machines that learn from the first readings of their own history, and how strange they find each later one."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.extract import extract
from features.sampling import signal_intervals
from ingest.history import History
from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.anomaly_level import AnomalyLevel
from models.backtest import recipe_until
from models.label import target_events
from models.moment import instants
from models.rows import machine_rows

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""When files are said to be read; nothing depends on it."""

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """The readings of one machine after those that it learnt from.

    Attributes
    ----------
    time : of each reading, shape (n,)
    surprise : minus the logarithm of the share of what it learnt from that is as strange, shape (n,)
    begin, end : of each event to foresee, those inside what it learnt from included
    """

    machine: str
    time: Times
    surprise: Floats
    begin: Times
    end: Times

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each reading lies in an event."""
        found = np.zeros(len(self.time), dtype=bool)
        for begin, end in zip(self.begin, self.end, strict=True):
            found |= (self.time >= begin) & (self.time <= end)
        return found


def judged_by_entry(plant: Path) -> Iterator[tuple[ModelEntry, list[Judged]]]:
    """Yield each anomaly model of a plant file that is split by baseline, with what it says of every machine."""
    loaded = load_plant(plant)
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        ingest_files(loaded, store, now=NOW)
        for entry in loaded.models:
            if entry.task == "anomaly" and entry.split == "baseline":
                yield entry, _judged(loaded, store, entry)


def of_lasting_events(judged: list[Judged]) -> bool:
    """Whether the events of a model last, most of them."""
    lasting = np.concatenate([each.end > each.begin for each in judged])
    return bool(lasting.mean() > 1 / 2)


def folds(judged: list[Judged], count: int) -> list[NDArray[np.intp]]:
    """Deal machines out to folds by the order of their names."""
    order = np.array(sorted(range(len(judged)), key=lambda place: judged[place].machine), dtype=np.intp)
    return [order[number::count] for number in range(count)]


def _judged(plant: Plant, history: History, entry: ModelEntry) -> list[Judged]:
    spans = history.spans(entry.machine_class)
    machines = [each for each in plant.machines_of(entry.machine_class) if each in spans]
    events = target_events(history.events(machines=machines), entry.target)
    newest = max(last for _, last in spans.values())
    recipe = recipe_until(plant, history, entry, newest)
    every = min(signal_intervals(history, plant.class_named(entry.machine_class), until=newest).values())
    learnt = (entry.baseline or timedelta(0)) // every
    first = min(begin for begin, _ in spans.values()) - timedelta(microseconds=1)
    table = extract(recipe, history, machines, first, newest)
    times = _reading_times(history, entry.machine_class, machines)
    found = []
    for machine, rows in machine_rows(table.machine).items():
        own = events[events["machine"] == machine]
        mine, when = table.where(np.arange(rows.start, rows.stop)), times[machine]
        if not len(own) or len(when) <= learnt:
            continue
        at_reading = mine.where(np.searchsorted(mine.time, when))
        seen = at_reading.where(np.arange(learnt))
        learner = AnomalyLevel(entry.detectors).fit(seen, np.zeros(learnt, dtype=np.int8), [])
        later = at_reading.where(np.arange(learnt, len(when)))
        surprise = -np.log1p(-learner.level(later))
        found.append(Judged(machine, later.time, surprise, instants(own["begin"]), instants(own["end"])))
    return found


def _reading_times(history: History, machine_class: str, machines: list[str]) -> Mapping[str, Times]:
    read = history.read(machine_class, machines=machines, signals=[]).table
    machine, time = read["machine"].to_pandas(), read["time"].to_pandas()
    return {str(name): instants(own) for name, own in pd.Series(time).groupby(machine.to_numpy())}
