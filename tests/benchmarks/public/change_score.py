"""How well alarms tell the moments of change: the score of the Skoltech Anomaly Benchmark for change points.

Every change opens a window that lasts a fixed time; where the next change comes before its end, the
later window begins when the earlier one ends. The first alarm in a window earns 1 at its begin, falling to
minus the price of a false alarm at its end along a hyperbolic tangent; a window without an alarm and an
alarm in no window cost their price. A score is given as a share of what lies between saying nothing (0) and
naming every change at once (100).

References
----------
Katser, Kozitsin: Skoltech Anomaly Benchmark, 2020; Lavin, Ahmad: Evaluating Real-time Anomaly Detection
Algorithms – the Numenta Anomaly Benchmark, ICMLA 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]

PROFILES = {"standard": (0.11, 1.0), "low FP": (0.22, 1.0), "low FN": (0.11, 2.0)}
"""Price of a false alarm and of a missed change."""

_STEPS = 1000
"""The published score is read from a curve of so many points."""


@dataclass(frozen=True, slots=True)
class Found:
    """What alarms about one machine came to.

    Attributes
    ----------
    places : where in its window, 0 to 1, the first alarm of each change that was found lies
    missed : changes without an alarm
    false : alarms in no window
    """

    places: tuple[float, ...]
    missed: int
    false: int


def found(changes: Times, alarms: Times, window: np.timedelta64) -> Found:
    """Compare alarms of one machine with its changes.

    Parameters
    ----------
    changes, alarms : times, ascending
    """
    begin, end = changes.copy(), changes + window
    for earlier, later in pairwise(range(len(changes))):
        if end[earlier] >= begin[later]:
            begin[later] = end[earlier]
    places, missed, inside = [], 0, np.zeros(len(alarms), dtype=bool)
    for first, last in zip(begin, end, strict=True):
        own = (alarms >= first) & (alarms <= last)
        inside |= own
        if own.any():
            places.append(float((alarms[own][0] - first) / (last - first)) if last > first else 0.0)
        else:
            missed += 1
    return Found(tuple(places), missed, int((~inside).sum()))


def change_scores(results: Sequence[Found]) -> dict[str, float]:
    """Return the score of each profile over all machines, 100 for a perfect one and 0 for silence."""
    places = np.array([place for each in results for place in each.places])
    missed, false = sum(each.missed for each in results), sum(each.false for each in results)
    changes = len(places) + missed
    scores = {}
    for name, (false_price, missed_price) in PROFILES.items():
        earned = float(_earned(places, false_price).sum()) - false_price * false - missed_price * missed
        scores[name] = 100 * (earned + missed_price * changes) / (changes + missed_price * changes)
    return scores


def _earned(places: NDArray[np.float64], false_price: float) -> NDArray[np.float64]:
    x = np.linspace(-np.pi / 2, np.pi / 2, _STEPS)
    curve = (1 + false_price) / 2 * (1 - np.tanh(x) / np.tanh(np.pi / 2)) - false_price
    return curve[np.minimum((places * _STEPS).astype(np.intp), _STEPS - 1)]
