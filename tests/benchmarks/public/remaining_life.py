"""Remaining life at the last row of each machine that was held out, and over all of its rows.

A model learns from the machines of the plant file that are not held out; its reach, trees, intervals and threshold
are chosen on those alone, by folds of whole machines. It then sees each machine that was held out, up to that
machine's last reading, and its failure, which came later, is the truth. Beyond its reach a model says "longer"; the
reach stands for it where a number is needed, as it does where the model says that nothing degrades. Where a figure is
capped, the number is the mean of the told quantiles, each no more than the cap: that is what a squared error asks for,
and what trees that learn capped lives predict. Figures of the median, which people are told, stand beside it. Readings
are taken as they are: no sensor is doubted.
"""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.extract import extract
from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.assess import assess_table
from models.assessment import Assessments
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.judging.interval import Interval, wilson
from models.judging.prognostic import (
    alpha_lambda,
    coverage,
    expected_life,
    monotonicity,
    phm08,
    prognostic_horizon,
    rmse,
)
from models.labels.label import target_events
from models.life.life import LEVELS
from models.moment import instants
from models.rows import by_machine, machine_rows
from tests.benchmarks.public.row import Row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""When files are said to be read; nothing depends on it."""

CAP = 125.0
"""Hours that predictions and truth count as no more than, where a figure is capped: published results cap there."""

ALPHA, BETA, HALF = 0.2, 0.5, 0.5
_HOUR = np.timedelta64(1, "h")

Floats = NDArray[np.float64]


def rows(plant: Path) -> list[Row]:
    """Return the figures of every remaining life of a plant file, on the machines that it holds out."""
    loaded = load_plant(plant)
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        ingest_files(loaded, store, now=NOW)
        return [
            row
            for entry in loaded.models
            if entry.task == "remaining_life"
            for row in figures(plant.stem, entry, *_held_out(loaded, store, entry))
        ]


def fitted(plant: Plant, store: Store, entry: ModelEntry) -> Bundle:
    """Return a model that has learnt from all that the plant file lets it learn from."""
    spans = store.spans(entry.machine_class)
    machines = [each for each in plant.teachers_of(entry.machine_class) if each in spans]
    end = max(spans[each][1] for each in machines)
    begin = min(spans[each][0] for each in machines) - timedelta(microseconds=1)
    recipe = recipe_until(plant, store, entry, end)
    table = extract(recipe, store, machines, begin, end)
    return fit_bundle(entry, plant, recipe, table, store.events(machines=machines, end=end), end)


@dataclass(frozen=True)
class Track:
    """What was said of one machine, and when it failed.

    Attributes
    ----------
    time : hours from its first row, shape (n,)
    lives : hours at each of ``LEVELS``, infinite beyond the reach, shape (n, n_levels); NaN where nothing is said
    end : when it failed, on that clock
    """

    time: Floats
    lives: Floats
    end: float

    @classmethod
    def of(cls, said: Assessments, end: np.datetime64) -> Self:
        """Take what was said of one machine; where nothing degrades, its life is beyond the reach."""
        if said.life is None:
            raise ValueError(f"model '{said.model}' tells no remaining life")
        quiet = np.isnan(said.life).all(axis=1) & ~np.isnan(said.level)
        lives = np.where(quiet[:, np.newaxis], np.inf, said.life)
        first = said.time[0]
        return cls((said.time - first) / _HOUR, lives, float((end - first) / _HOUR))


def _held_out(plant: Plant, store: Store, entry: ModelEntry) -> tuple[Bundle, list[Track], int]:
    bundle = fitted(plant, store, entry)
    learnt, spans = set(plant.teachers_of(entry.machine_class)), store.spans(entry.machine_class)
    unseen = [each for each in plant.machines_of(entry.machine_class) if each in spans and each not in learnt]
    begin, end = min(spans[each][0] for each in unseen), max(spans[each][1] for each in unseen)
    said = assess_table(bundle, extract(bundle.recipe, store, unseen, begin - timedelta(microseconds=1), end))
    failures = by_machine(target_events(store.events(machines=unseen), entry.target))
    tracks = []
    for machine, mine in machine_rows(said.machine).items():
        own = said.where(np.arange(mine.start, mine.stop))
        own = own.where(own.time <= np.datetime64(spans[machine][1].replace(tzinfo=None)))
        later = instants(failures[machine]["begin"])
        tracks.append(Track.of(own, later[later >= own.time[-1]][0]))
    return bundle, tracks, len(unseen)


def figures(data: str, entry: ModelEntry, bundle: Bundle, tracks: Sequence[Track], machines: int) -> list[Row]:
    """Return the figures of what was said of machines that were held out."""
    reach = float(bundle.learner.reach)  # type: ignore[attr-defined]
    told = [each for each in tracks if not np.isnan(each.lives[-1]).any()]
    lives = np.stack([each.lives[-1] for each in told])
    true = np.array([each.end - each.time[-1] for each in told])
    middle = np.minimum(lives[:, LEVELS.index(0.5)], reach)
    protocol = (
        f"{entry.name}: {machines} machines held out, each at its last row; learnt from"
        f" {len(bundle.card['data']['machines'])} machines, lives told up to {reach:.0f} h"
    )

    def row(figure: str, value: float | None, low: float = np.nan, high: float = np.nan) -> Row:
        return Row(data, protocol, figure, np.nan if value is None else value, low, high)

    def share(figure: str, found: Interval) -> Row:
        return row(figure, found.value, found.low, found.high)

    degrades = np.isfinite(lives[:, 0])
    expected = expected_life(LEVELS, lives, cap=min(CAP, reach))
    errors = expected - np.minimum(true, CAP)
    spread = 1.96 * float((errors**2).std(ddof=1)) / np.sqrt(len(errors))
    mean = float((errors**2).mean())
    whole = [each for each in (_whole(track) for track in told) if each is not None]
    return [
        row(
            f"RMSE, capped at {CAP:g}",
            rmse(expected, true, cap=CAP),
            max(mean - spread, 0) ** 0.5,
            (mean + spread) ** 0.5,
        ),
        row(f"RMSE, capped at {CAP:g}, of the median", rmse(middle, true, cap=CAP)),
        row("RMSE, uncapped", rmse(middle, true)),
        row(f"PHM08 score, capped at {CAP:g}", phm08(expected, true, cap=CAP)),
        row("PHM08 score, uncapped", phm08(middle, true)),
        share(
            "90 % interval covers, where one is told", coverage(lives[degrades, 0], lives[degrades, -1], true[degrades])
        ),
        share("90 % interval covers, where it has an end", _with_an_end(lives, true)),
        share("not degrading, share of machines", wilson(int((~degrades).sum()), len(lives))),
        share("machines of which something is said", wilson(len(told), machines)),
        *(row(name, float(np.median(values))) for name, values in _over_all_rows(whole).items() if len(values)),
        share(f"alpha-lambda holds at half of the life (α {ALPHA:g}, β {BETA:g})", _alpha_lambda(told)),
    ]


def _with_an_end(lives: Floats, true: Floats) -> Interval:
    finite = np.isfinite(lives[:, -1])
    return coverage(lives[finite, 0], lives[finite, -1], true[finite])


def _whole(track: Track) -> Track | None:
    """Return the rows at which something is said."""
    said = ~np.isnan(track.lives).any(axis=1)
    return Track(track.time[said], track.lives[said], track.end) if said.any() else None


def _over_all_rows(tracks: Sequence[Track]) -> dict[str, list[float]]:
    horizons = [prognostic_horizon(each.time, LEVELS, each.lives, each.end, alpha=ALPHA, beta=BETA) for each in tracks]
    middle = LEVELS.index(0.5)
    falls = [monotonicity(each.lives[np.isfinite(each.lives[:, middle]), middle]) for each in tracks]
    return {
        f"prognostic horizon h, median (α {ALPHA:g}, β {BETA:g})": [each for each in horizons if each is not None],
        "monotonicity, median": [each for each in falls if each is not None],
    }


def _alpha_lambda(tracks: Sequence[Track]) -> Interval:
    held = [
        alpha_lambda(each.time, LEVELS, each.lives, each.end, at=HALF * each.end, alpha=ALPHA, beta=BETA)
        for each in tracks
    ]
    known = [each for each in held if each is not None]
    return wilson(sum(known), len(known))
