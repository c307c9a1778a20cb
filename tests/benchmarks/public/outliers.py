"""Which readings are out of order: F1, false alarm rate and missing alarm rate, readings of all machines pooled.

Each machine learns from the first readings of its own history, as many as its baseline holds, and from nothing
else; all later readings are judged. The threshold and the share of the highest surprise at which an episode is over
are one for all machines; they are chosen on other machines than those that they are used on (five folds), once for
the best F1 and once for the best F1 at no more than 13.6 % false alarms there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.public.episodes import episodes, steadied
from tests.benchmarks.public.outlier_score import outlier_scores
from tests.benchmarks.public.own_beginning import Judged, folds, judged_by_entry, of_lasting_events
from tests.benchmarks.public.row import Row

FOLDS = 5
MOST_FALSE = 13.6
_THRESHOLDS = 60
_SHARES = (0.0, float(np.exp(-2.0)), float(np.exp(-1.5)), float(np.exp(-1.0)))

Flags = NDArray[np.bool_]


def rows(plant: Path) -> list[Row]:
    """Return the figures of every model that is split by baseline and looks for what lasts."""
    return [
        row
        for entry, judged in judged_by_entry(plant)
        if of_lasting_events(judged)
        for row in _figures(plant.stem, entry.name, judged)
    ]


def cross_fitted(judged: Sequence[Judged], most_false: float = 100.0) -> Flags:
    """Return whether each reading of all machines is called out of order."""
    surprise = [steadied(each.surprise) for each in judged]
    thresholds = np.unique(np.quantile(np.concatenate(surprise), np.linspace(0.05, 0.95, _THRESHOLDS)))
    tries = [[episodes(own, each, share) for own in surprise] for share in _SHARES for each in thresholds]
    truth, said = [each.inside for each in judged], [np.zeros(0, dtype=bool)] * len(judged)
    for fold in folds(list(judged), FOLDS):
        others = [place for place in range(len(judged)) if place not in fold]
        seen = [[each[place] for place in others] for each in tries]
        chosen = best([truth[place] for place in others], seen, most_false)
        for place in fold:
            said[place] = tries[chosen][place]
    return np.concatenate(said)


def best(truth: Sequence[Flags], tries: Sequence[Sequence[Flags]], most_false: float) -> int:
    """Return the try with the best F1 among those with no more false alarms than so many percent."""
    scored = [outlier_scores(np.concatenate(truth), np.concatenate(each)) for each in tries]
    return max(range(len(tries)), key=lambda number: scored[number][0] if scored[number][1] <= most_false else -1.0)


def _figures(data: str, model: str, judged: Sequence[Judged]) -> list[Row]:
    truth = np.concatenate([each.inside for each in judged])
    protocol = f"{model}: each of {len(judged)} machines learns from its baseline, threshold from other machines"
    found = []
    for most, told in ((100.0, ""), (MOST_FALSE, f", false alarm rate held to {MOST_FALSE} % on other machines")):
        figures = zip(("F1", "FAR %", "MAR %"), outlier_scores(truth, cross_fitted(judged, most)), strict=True)
        found += [Row(data, protocol, f"{figure}{told}", value) for figure, value in figures]
    return found
