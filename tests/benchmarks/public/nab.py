"""Strange stretches of series without a label to learn from, scored as the Numenta Anomaly Benchmark does.

A series is read in the order of time. A model learns from the first 15 % (at most 750 rows), says how strange
the rows after it are, and learns again from all that came before whenever that has grown by a seventh, as a plant's
nightly training does. It is told of no label and no row that comes later. What is scored is an alarm as people get
it: its begin, and again where the machine becomes ten times as strange.

``python -m tests.benchmarks.public.nab --nab DIR [NAME…]`` scores whatever series it is given, all together: in the
benchmark's own layout (``data/*/*.csv`` and ``labels/combined_windows.json``) or as ``*/*.parquet`` beside
``combined_windows.json``.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.extract import extract
from features.sampling import signal_intervals
from features.table import FeatureTable
from ingest.event import events_table
from ingest.history import History
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal, Source
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.anomaly.level import AnomalyLevel
from models.judging.backtest import recipe_until
from models.judging.split import time_folds
from models.labels.label import target_events
from models.moment import instants
from tests.benchmarks.public.nab_score import PROFILES, Series, best_threshold, corpus_score, probation
from tests.benchmarks.public.own_beginning import NOW
from tests.benchmarks.public.row import Row

GROWTH = 1.15
OWN_THRESHOLD = 9.0
"""Surprise from which the corpus is scored without a look at its labels: once in about 8,000 rows."""
QUIET_ROWS = 288
STRANGER = np.log(10.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """What a model said of one series, and what it should have said."""

    name: str
    time: NDArray[np.datetime64]
    surprise: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def series(self) -> Series:
        """The series as it is scored."""
        return Series(spoken(self.surprise), self.windows)


def rows(plant: Path) -> list[Row]:
    """Return the figures of every anomaly model that is split by time, looks for states and has no baseline."""
    loaded, found = load_plant(plant), []
    entries = [each for each in loaded.models if _is_served(each)]
    if not entries:
        return []
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        ingest_files(loaded, store, now=NOW)
        for entry in entries:
            spans = store.spans(entry.machine_class)
            machines = [each for each in loaded.machines_of(entry.machine_class) if each in spans]
            found += figures(plant.stem, entry.name, [tell(loaded, store, entry, each) for each in machines])
    return found


def _is_served(entry: ModelEntry) -> bool:
    """Whether a model looks for states, split by time, and is told of no time that was surely normal."""
    asked = entry.task == "anomaly" and entry.split == "time"
    return asked and entry.target.kind == "state" and entry.baseline is None


def tell(plant: Plant, history: History, entry: ModelEntry, machine: str) -> Told:
    """Return what a model says of one machine, reading by reading."""
    first, newest = history.spans(entry.machine_class)[machine]
    every = min(signal_intervals(history, plant.class_named(entry.machine_class), until=newest).values())
    recipe = recipe_until(plant, history, entry.model_copy(update={"stride": every}), newest)
    table = extract(recipe, history, [machine], first - timedelta(microseconds=1), newest)
    targets = target_events(history.events(machines=[machine]), entry.target)
    begin = np.searchsorted(table.time, instants(targets["begin"]), side="left")
    end = np.searchsorted(table.time, instants(targets["end"]), side="right") - 1
    windows = tuple((int(low), int(high)) for low, high in zip(begin, end, strict=True) if high >= low)
    return Told(machine, table.time, streamed(table, entry), windows)


def streamed(table: FeatureTable, entry: ModelEntry) -> Floats:
    """Return how surprising each row is to a model that has seen nearly all rows before it; NaN at the beginning."""
    surprise, learnt = np.full(len(table), np.nan), probation(len(table))
    none = target_events(events_table(), entry.target)
    while learnt < len(table):
        seen, until = table.where(np.arange(learnt)), min(len(table), int(np.ceil(GROWTH * learnt)))
        folds = time_folds(seen, none, timedelta(0), 9)[4:]
        learner = AnomalyLevel(entry.detectors).fit(seen, np.zeros(learnt, dtype=np.int8), folds)
        fresh = table.where(np.arange(learnt, until))
        surprise[learnt:until] = learner.tail.surprise(learner.fitted.score(fresh))
        learnt = until
    return surprise


def spoken(surprise: Floats) -> Floats:
    """Return the surprise where an alarm would begin, or become ten times as strange, and nothing elsewhere.

    Like any alarm it takes two of three rows. Whatever the threshold, nothing is repeated for ``QUIET_ROWS`` rows.
    """
    known = np.nan_to_num(surprise, nan=-np.inf)
    last = np.stack([known, np.r_[-np.inf, known[:-1]], np.r_[-np.inf, -np.inf, known[:-2]]])
    held = np.sort(last, axis=0)[1]
    said = np.full(len(held), -np.inf)
    for row, value in enumerate(held):
        before = said[max(0, row - QUIET_ROWS) : row].max(initial=-np.inf)
        if value > -np.inf and value >= before + STRANGER:
            said[row] = value
    return said


def figures(data: str, model: str, told: Sequence[Told]) -> list[Row]:
    """Return the score of each profile, with a threshold of our own and with the one that scores best."""
    corpus = [each.series for each in told]
    found, false = counted(corpus, OWN_THRESHOLD)
    protocol = f"{model}: {len(corpus)} series, {sum(len(each.windows) for each in corpus)} windows, no labels"
    rows = [
        Row(data, protocol, "windows found", found),
        Row(data, protocol, "false alarms", false),
    ]
    for profile in PROFILES:
        own = corpus_score(corpus, OWN_THRESHOLD, profile)
        rows.append(Row(data, protocol, f"NAB score, {profile}, threshold without labels", own))
        official = corpus_score(corpus, best_threshold(corpus, profile), profile)
        rows.append(Row(data, protocol, f"NAB score, {profile}, threshold as the benchmark chooses it", official))
    return rows


def counted(corpus: Sequence[Series], threshold: float) -> tuple[int, int]:
    """Return how many windows hold an alarm, and how many alarms lie in none."""
    found = false = 0
    for each in corpus:
        raised = np.flatnonzero(each.scores >= threshold)
        raised = raised[raised >= probation(len(each.scores))]
        inside = np.zeros(len(raised), dtype=bool)
        for low, high in each.windows:
            own = (raised >= low) & (raised <= high)
            inside |= own
            found += bool(own.any())
        false += int((~inside).sum())
    return found, false


def corpus_of(folder: Path, names: Sequence[str]) -> Iterator[Told]:
    """Yield what a model says of each series of a folder, or of those whose path holds one of the names."""
    csv = sorted(folder.glob("data/*/*.csv"))
    labels = folder / ("labels/combined_windows.json" if csv else "combined_windows.json")
    windows = json.loads(labels.read_text(encoding="utf-8"))
    for path in csv or sorted(folder.glob("*/*.parquet")):
        name = f"{path.parent.name}/{path.stem}.csv"
        if names and not any(each in name for each in names):
            continue
        yield _told(path, name, [[pd.Timestamp(moment) for moment in window] for window in windows.get(name, [])])


def _told(path: Path, name: str, windows: Sequence[Sequence[pd.Timestamp]]) -> Told:
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    time = pd.to_datetime(frame["timestamp"])
    every = timedelta(seconds=float(time.diff().median().total_seconds()))
    entry = ModelEntry(
        name="strange", task="anomaly", machine_class="series", horizon=timedelta(0), split="time",
        windows=[12 * every, 72 * every, 288 * every], stride=every, detectors=["shift"],
    )  # fmt: skip
    plant = Plant(
        classes=[MachineClass(name="series", signals=[Signal(name="value", every=every)])],
        machines=[Machine(name="series", machine_class="series")],
        sources=[Source(name="series", path=str(path.resolve()), machine_is="series", time="timestamp")],
        models=[entry],
    )
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        ingest_files(plant, store, now=NOW)
        said = tell(plant, store, entry, "series")
    when = time.to_numpy().astype("datetime64[us]")
    # Rows are those of the file: what stands there twice, or off the grid, is one row of a store.
    place = np.clip(np.searchsorted(said.time, when, side="right") - 1, 0, len(said.time) - 1)
    limits = [
        (int(np.searchsorted(when, low)), int(np.searchsorted(when, high, side="right") - 1)) for low, high in windows
    ]
    return Told(name, when, said.surprise[place], tuple(limits))


def main() -> None:
    """Score a folder of series."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.public.nab", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of paths of series; all when none is given")
    parser.add_argument("--nab", type=Path, required=True, help="folder of series")
    asked = parser.parse_args()
    told = []
    for each in corpus_of(asked.nab, asked.names):
        found, false = counted([each.series], OWN_THRESHOLD)
        print(f"{each.name}: {found} of {len(each.windows)} windows found, {false} false alarms")
        told.append(each)
    for row in figures(asked.nab.name, "strange", told):
        print(f"{row.figure}: {row.value:.1f}")


if __name__ == "__main__":
    main()
