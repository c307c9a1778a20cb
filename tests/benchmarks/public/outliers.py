"""Which readings are out of order: F1, false alarm rate and missing alarm rate, readings of all machines pooled.

Each machine learns from the first readings of its own history, as many as its baseline holds, and from nothing
else; all later readings are judged. The threshold is one for all machines, on the scale of surprise; it is chosen on
other machines than those that it is used on (five folds), once for the best F1 and once for the best F1 at no more
than 13.6 % false alarms there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.public.outlier_score import outlier_scores
from tests.benchmarks.public.own_beginning import Judged, folds, judged_by_entry, of_lasting_events
from tests.benchmarks.public.row import Row

FOLDS = 5
MOST_FALSE = 13.6
_CANDIDATES = 200


def rows(plant: Path) -> list[Row]:
    """Return the figures of every model that is split by baseline and looks for what lasts."""
    return [
        row
        for entry, judged in judged_by_entry(plant)
        if of_lasting_events(judged)
        for row in _figures(plant.stem, entry.name, judged)
    ]


def cross_fitted(judged: Sequence[Judged], most_false: float = 100.0) -> NDArray[np.bool_]:
    """Return whether each reading of all machines is called out of order."""
    said = [np.zeros(len(each.time), dtype=bool) for each in judged]
    for fold in folds(list(judged), FOLDS):
        threshold = best([judged[place] for place in range(len(judged)) if place not in fold], most_false)
        for place in fold:
            said[place] = judged[place].surprise >= threshold
    return np.concatenate(said)


def best(judged: Sequence[Judged], most_false: float) -> float:
    """Return the threshold with the best F1 among those with no more false alarms than so many percent."""
    surprise = np.nan_to_num(np.concatenate([each.surprise for each in judged]))
    truth = np.concatenate([each.inside for each in judged])
    candidates = np.unique(np.quantile(surprise, np.linspace(0, 1, _CANDIDATES)))
    scored = [(outlier_scores(truth, surprise >= each), each) for each in candidates]
    allowed = [(f1, each) for (f1, far, _), each in scored if far <= most_false]
    return max(allowed)[1] if allowed else float("inf")


def _figures(data: str, model: str, judged: Sequence[Judged]) -> list[Row]:
    truth = np.concatenate([each.inside for each in judged])
    protocol = f"{model}: each of {len(judged)} machines learns from its baseline, threshold from other machines"
    found = []
    for most, told in ((100.0, ""), (MOST_FALSE, f", false alarm rate held to {MOST_FALSE} % on other machines")):
        figures = zip(("F1", "FAR %", "MAR %"), outlier_scores(truth, cross_fitted(judged, most)), strict=True)
        found += [Row(data, protocol, f"{figure}{told}", value) for figure, value in figures]
    return found
