"""Energy baselines on public meters: ``python -m tests.benchmarks.energy [--json] [--data DIR] [PLANT...]``.

Every meter of the plant files (all of ``tests/plants`` that have some, or those named by stem) learns its baseline from
its baseline period and foretells all later periods, which nothing was chosen on. Beside the error of the baseline stand
those of linear regression on the same drivers (weekday and hour among them as kinds, where they count) and of the mean
of each weekday and hour, with the ratio and its 95 % interval (weeks, or eighths of shorter spans, drawn anew); beside
the band its share of later periods. All settings are the defaults.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.plant import Plant
from ingest.plant_energy import Meter
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.efficiency.energy.baseline import EnergyBaseline, fit_energy_baseline
from models.efficiency.energy.meter import metered, read_periods
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.review import review_energy
from models.efficiency.energy.validity import cv_rmse, r_squared
from tests.benchmarks.public.plant_copy import copied

PLANTS = Path(__file__).parents[1] / "plants"
NOW = datetime(2100, 1, 1, tzinfo=UTC)
PUBLISHED = {
    "steel_energy": "quarters of an hour split at random, other readings of the same meter among the inputs: RMSE"
    " 7.33 kWh (random forest, Sathishkumar et al. 2021), 1.073 kWh, R2 0.998 (CatBoost, Karthick et al. 2024);"
    " not comparable",
}


def profile(learnt: EnergyPeriods, later: EnergyPeriods) -> NDArray[np.float64]:
    """Return the mean of each weekday and time of day; of those that were never there the mean of all."""

    def keys(periods: EnergyPeriods) -> list[tuple[int, int]]:
        return [(each.weekday(), each.hour * 60 + each.minute) for each in periods.local]

    means = pd.Series(learnt.power).groupby(pd.MultiIndex.from_tuples(keys(learnt))).mean().to_dict()
    return np.array([means.get(each, float(learnt.power.mean())) for each in keys(later)])


def ratio_interval(
    later: EnergyPeriods, said: NDArray[np.float64], other: NDArray[np.float64], draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of two errors; blocks of a week stay whole when they are drawn anew."""
    weeks = later.day // 7
    block = weeks - weeks[0] if weeks[-1] - weeks[0] >= 8 else np.arange(len(later)) * 8 // len(later)
    own = np.bincount(block, (later.power - said) ** 2)
    theirs = np.bincount(block, (later.power - other) ** 2)
    drawn = np.random.default_rng(0).integers(0, len(own), (draws, len(own)))
    low, high = np.quantile(np.sqrt(own[drawn].sum(axis=1) / theirs[drawn].sum(axis=1)), [0.025, 0.975])
    return float(low), float(high)


def rows_of(plant: Plant, stem: str, meter: Meter, store: Store) -> Iterator[dict[str, Any]]:
    """Yield the figures of a meter; of a class, those of its first machine."""
    machine = metered(plant, meter)[0]
    end = store.spans(plant.class_of(machine).name)[machine][1]
    review = review_energy(plant, meter, machine, store, end)
    name = f"{stem}, {meter.name}"
    baseline = review.baseline
    if baseline is None:
        return
    later = review.periods
    expected, low, high = baseline.expected_band(later)
    known = ~np.isnan(expected) & ~np.isnan(later.power)
    linear = fit_energy_baseline(baseline.learnt, form="linear").expected(later)[known]
    actual, said = later.power[known], expected[known]
    error = cv_rmse(actual, said)
    peers = {"linear regression, same drivers": linear}
    if meter.calendar:
        peers["mean of weekday and hour"] = profile(baseline.learnt, later)[known]
    for peer, other in peers.items():
        row = _row(f"{name}: CV(RMSE) of {int(known.sum())} later periods", error, "1", peer, cv_rmse(actual, other))
        yield row | dict(zip(("ratio_low", "ratio_high"), ratio_interval(later.where(known), said, other), strict=True))
    yield _row(f"{name}: R2 of later periods", r_squared(actual, said), "1")
    inside = (actual >= low[known]) & (actual <= high[known])
    yield _row(f"{name}: share of later periods in the 90 % band", float(inside.mean()), "1", goal="0.85 to 0.95")
    yield _row(f"{name}: share of later periods that it speaks of", float(known.mean()), "1")
    yield from _validity(name, baseline)
    yield _row(f"{name}: losses told", len(review.losses), "count")
    if review.figures.kwh_a_piece is not None:
        yield from _per_piece(plant, meter, store, name)


def _validity(name: str, baseline: EnergyBaseline) -> Iterator[dict[str, Any]]:
    judged = baseline.validity
    yield _row(f"{name}: form {baseline.form!r}, R2 in the baseline period", judged.r2, "1", goal=">= 0.75")
    yield _row(f"{name}: R2 held out in the baseline period", judged.r2_held_out, "1", goal=">= 0.75")
    yield _row(f"{name}: valid", float(judged.valid), "yes or no")
    yield _row(f"{name}: autocorrelation of what is left", judged.autocorrelation, "1")


def _per_piece(plant: Plant, meter: Meter, store: Store, name: str) -> Iterator[dict[str, Any]]:
    spans = store.spans(plant.class_of(metered(plant, meter)[0]).name)
    of_each: dict[str, float] = {}
    for machine in metered(plant, meter):
        whole = read_periods(plant, meter, machine, store, *spans[machine])
        both = ~np.isnan(whole.power) & ~np.isnan(whole.produced)
        of_each[machine] = float(whole.kwh[both].sum() / (whole.produced * whole.hours)[both].sum())
    first, *others = of_each
    for machine in others:
        yield _row(f"{name}: kWh for what is made, {machine}", of_each[machine], "kWh", first, of_each[first])


def _row(
    name: str, value: float, unit: str, peer: str = "", peer_value: float | None = None, *, goal: str = ""
) -> dict[str, Any]:
    ratio = value / peer_value if peer_value else None
    goal = goal or ("ratio < 1" if peer and "CV" in name else "")
    return {
        "name": name, "value": value, "unit": unit, "goal": goal or None,
        "peer": peer or None, "peer_value": peer_value, "ratio": ratio,
    }  # fmt: skip


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plants", nargs="*", help="plant files by stem; all with meters when none is given")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--data", type=Path, help="folder of the public data; ../shared/data when left out")
    asked = parser.parse_args()
    stems = asked.plants or [each.stem for each in sorted(PLANTS.glob("*.toml")) if load_plant(each).meters]
    found: list[dict[str, Any]] = []
    for stem in stems:
        with tempfile.TemporaryDirectory() as folder:
            plant = load_plant(copied(PLANTS / f"{stem}.toml", Path(folder), asked.data))
            store = Store(plant.data_folder)
            ingest_files(plant, store, now=NOW)
            for meter in plant.meters:
                found += rows_of(plant, stem, meter, store)
            store.close()
        found += [_row(f"{stem}: published", np.nan, PUBLISHED[stem])] if stem in PUBLISHED else []
    if asked.json:
        told = [{key: None if each != each else each for key, each in row.items()} for row in found]
        print(json.dumps(told, indent=1))
        return
    for row in found:
        between = f" [{row['ratio_low']:.3f} to {row['ratio_high']:.3f}]" if "ratio_low" in row else ""
        peer = f" ({row['peer']} {row['peer_value']:.4g}, ratio {row['ratio']:.3f}{between})" if row["peer"] else ""
        goal = f", goal {row['goal']}" if row["goal"] else ""
        print(f"{row['name']}: {row['value']:.4g} {row['unit']}{goal}{peer}")


if __name__ == "__main__":
    main()
