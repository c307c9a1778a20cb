"""When something changes: the score for change points of the Skoltech Anomaly Benchmark, 60 s to the right.

Each machine learns from the first readings of its own history, as many as its baseline holds, and from nothing
else. An alarm is the begin or the end of an episode. The threshold and the share of the highest surprise at which an
episode is over are one for all machines, chosen on other machines than those that they are used on (five folds).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.public.change_score import Found, change_scores, found
from tests.benchmarks.public.episodes import episodes, steadied
from tests.benchmarks.public.own_beginning import Judged, folds, judged_by_entry, of_lasting_events
from tests.benchmarks.public.row import Row

FOLDS = 5
WINDOW = np.timedelta64(60, "s")
_THRESHOLDS = 60
_SHARES = (0.0, float(np.exp(-2.0)), float(np.exp(-1.0)), float(np.exp(-0.5)))


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


def cross_fitted(judged: Sequence[Judged]) -> list[Found]:
    """Return what alarms come to, each machine with a threshold that was chosen on others."""
    surprise = [steadied(each.surprise) for each in judged]
    thresholds = np.unique(np.quantile(np.concatenate(surprise), np.linspace(0.05, 0.95, _THRESHOLDS)))
    tries = [
        [_alarms(each, episodes(own, threshold, share)) for each, own in zip(judged, surprise, strict=True)]
        for share in _SHARES
        for threshold in thresholds
    ]
    results: dict[int, Found] = {}
    for fold in folds(list(judged), FOLDS):
        others = [place for place in range(len(judged)) if place not in fold]
        scores = [change_scores([each[place] for place in others])["standard"] for each in tries]
        results |= {int(place): tries[int(np.argmax(scores))][place] for place in fold}
    return [results[place] for place in range(len(judged))]


def _alarms(judged: Judged, over: NDArray[np.bool_]) -> Found:
    """Compare the begins and ends of episodes of one machine with its changes."""
    return found(judged.begin[judged.begin >= judged.time[0]], judged.time[edges(over)], WINDOW)


def _figures(data: str, model: str, judged: Sequence[Judged]) -> list[Row]:
    results = cross_fitted(judged)
    protocol = f"{model}: each of {len(judged)} machines learns from its baseline, threshold from other machines"
    told = {f"NAB score, {profile}": value for profile, value in change_scores(results).items()}
    told["changes missed"] = sum(each.missed for each in results)
    told["false alarms"] = sum(each.false for each in results)
    return [Row(data, protocol, figure, float(value)) for figure, value in told.items()]
