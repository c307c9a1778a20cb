"""When something changes: the score for change points of the Skoltech Anomaly Benchmark, 60 s to the right.

Each machine learns from the first readings of its own history, as many as its baseline holds, and from nothing
else. An alarm is a moment at which its surprise rises above or falls below a threshold, which is one for all machines
and chosen on other machines than those that it is used on (five folds).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.public.change_score import Found, change_scores, found
from tests.benchmarks.public.own_beginning import Judged, folds, judged_by_entry, of_lasting_events
from tests.benchmarks.public.row import Row

FOLDS = 5
WINDOW = np.timedelta64(60, "s")
_CANDIDATES = 100


def rows(plant: Path) -> list[Row]:
    """Return the figures of every model that is split by baseline and looks for moments."""
    return [
        row
        for entry, judged in judged_by_entry(plant)
        if not of_lasting_events(judged)
        for row in _figures(plant.stem, entry.name, judged)
    ]


def edges(over: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where something begins or ends; the first row is the end of nothing."""
    return np.r_[over[:1], over[1:] != over[:-1]]


def alarms(judged: Judged, threshold: float) -> Found:
    """Compare the edges of one machine at a threshold with its changes."""
    said = judged.time[edges(judged.surprise >= threshold)]
    return found(judged.begin[judged.begin >= judged.time[0]], said, WINDOW)


def cross_fitted(judged: Sequence[Judged]) -> list[Found]:
    """Return what alarms come to, each machine with a threshold that was chosen on others."""
    results: dict[int, Found] = {}
    for fold in folds(list(judged), FOLDS):
        others = [judged[place] for place in range(len(judged)) if place not in fold]
        pooled = np.nan_to_num(np.concatenate([each.surprise for each in others]))
        candidates = np.unique(np.quantile(pooled, np.linspace(0, 1, _CANDIDATES)))
        scores = [change_scores([alarms(each, threshold) for each in others])["standard"] for threshold in candidates]
        threshold = float(candidates[int(np.argmax(scores))])
        results |= {int(place): alarms(judged[place], threshold) for place in fold}
    return [results[place] for place in range(len(judged))]


def _figures(data: str, model: str, judged: Sequence[Judged]) -> list[Row]:
    results = cross_fitted(judged)
    protocol = f"{model}: each of {len(judged)} machines learns from its baseline, threshold from other machines"
    told = {f"NAB score, {profile}": value for profile, value in change_scores(results).items()}
    told["changes missed"] = sum(each.missed for each in results)
    told["false alarms"] = sum(each.false for each in results)
    return [Row(data, protocol, figure, float(value)) for figure, value in told.items()]
