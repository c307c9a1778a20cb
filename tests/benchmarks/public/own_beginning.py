"""Machines that learn from the first readings of their own history, and how strange they find each later one."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.extract import extract
from features.sampling import signal_intervals
from features.table import FeatureTable
from ingest.history import History
from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.anomaly.level import AnomalyLevel
from models.judging.backtest import recipe_until
from models.labels.label import target_events
from models.moment import instants

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""When files are said to be read; nothing depends on it."""

_TINY = 1e-9

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """The readings of one machine after those that it learnt from.

    Attributes
    ----------
    time : of each reading, shape (n,)
    surprise : how strange it is, over what one in twenty readings of those that it learnt from exceeds, shape (n,)
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


def strangeness(learner: AnomalyLevel, seen: FeatureTable, later: FeatureTable) -> Floats:
    """Return the score of later readings over what one in twenty of those that were learnt from exceeds.

    Of several detectors it is the geometric mean. A share of time would be the better scale, but a few minutes know
    nothing of rare shares.
    """
    usual = [np.nanquantile(each.score(seen), 0.95) for each in learner.fitted.members.values()]
    scores = [np.maximum(each.score(later), _TINY) for each in learner.fitted.members.values()]
    return np.exp(np.mean([np.log(each / one) for each, one in zip(scores, usual, strict=True)], axis=0))


def _judged(plant: Plant, history: History, entry: ModelEntry) -> list[Judged]:
    spans = history.spans(entry.machine_class)
    machines = [each for each in plant.machines_of(entry.machine_class) if each in spans]
    events = target_events(history.events(machines=machines), entry.target)
    newest = max(last for _, last in spans.values())
    recipe = recipe_until(plant, history, entry, newest)
    every = min(signal_intervals(history, plant.class_named(entry.machine_class), until=newest).values())
    learnt = (entry.baseline or timedelta(0)) // every
    found = []
    for machine in machines:
        own, when = events[events["machine"] == machine], _reading_times(history, entry.machine_class, machine)
        if not len(own) or len(when) <= learnt:
            continue
        first, last = spans[machine]
        table = extract(recipe, history, [machine], first - timedelta(microseconds=1), last + recipe.stride)
        at_reading = table.where(np.searchsorted(table.time, when))
        seen, later = (at_reading.where(part) for part in (np.arange(learnt), np.arange(learnt, len(when))))
        learner = AnomalyLevel(entry.detectors).fit(seen, np.zeros(learnt, dtype=np.int8), [])
        found.append(
            Judged(machine, later.time, strangeness(learner, seen, later), instants(own["begin"]), instants(own["end"]))
        )
    return found


def _reading_times(history: History, machine_class: str, machine: str) -> Times:
    return instants(history.read(machine_class, machines=[machine], signals=[]).table["time"].to_pandas())
