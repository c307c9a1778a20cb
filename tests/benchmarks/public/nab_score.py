"""The score of the Numenta Anomaly Benchmark, from its published definition.

Rows are in the order of time. The first 15 % of a series, at most 750 rows, are a time to learn in that is
not scored. Each labelled window earns by its earliest detection, 1 at its first row falling to 0 at its last
along a sigmoid; a window without one costs its price. A detection outside costs a share of its price that grows from
nothing just behind a window to all of it far behind. All is summed over the corpus and told as a share of what
lies between saying nothing (0) and perfect (100). The threshold is one for the whole corpus; the benchmark
itself picks the one that scores best, for each profile.

References
----------
Lavin, Ahmad: Evaluating Real-time Anomaly Detection Algorithms – the Numenta Anomaly Benchmark, ICMLA 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Window = tuple[int, int]

PROFILES = {"standard": (0.11, 1.0), "low FP": (0.22, 1.0), "low FN": (0.11, 2.0)}
"""Price of a false detection and of a missed window."""

PROBATION, LONGEST_SERIES = 0.15, 5000
_FAR = 3.0


@dataclass(frozen=True, slots=True)
class Series:
    """One scored series.

    Attributes
    ----------
    scores : strangeness of each row; NaN counts as no strangeness at all
    windows : first and last row of each labelled window, ascending and apart
    """

    scores: Floats
    windows: tuple[Window, ...]


def probation(rows: int) -> int:
    """Return how many rows at the beginning are not scored.

    Examples
    --------
    >>> probation(4032), probation(22695)
    (604, 750)
    """
    return int(min(np.floor(PROBATION * rows), PROBATION * LONGEST_SERIES))


def worth(rows: int, windows: Sequence[Window]) -> tuple[Floats, NDArray[np.intp]]:
    """Return what a detection at each row earns, −1 to 1, and the window that it lies in, −1 for none."""
    value, inside = np.full(rows, -1.0), np.full(rows, -1, dtype=np.intp)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        following = windows[number + 1][0] if number + 1 < len(windows) else rows
        after = np.arange(last + 1, following)
        value[after] = _sigmoid((after - last) / max(width - 1, 1))
        own = np.arange(first, last + 1)
        value[own] = _sigmoid(-(last - own + 1) / width) / _sigmoid(np.array(-1.0))
        inside[own] = number
    return value, inside


def corpus_score(series: Sequence[Series], threshold: float, profile: str) -> float:
    """Return the normalised score of a corpus at one threshold."""
    false_price, missed_price = PROFILES[profile]
    total, windows = 0.0, sum(len(each.windows) for each in series)
    for each in series:
        value, inside = worth(len(each.scores), each.windows)
        judged = np.arange(len(each.scores)) >= probation(len(each.scores))
        raised = judged & (each.scores >= threshold)
        total += false_price * float(value[raised & (inside < 0)].sum())
        for number in range(len(each.windows)):
            own = inside == number
            if (raised & own).any():
                total += float(value[raised & own].max())
            elif (judged & own).any():
                total -= missed_price
    silent = -missed_price * sum(_scored_windows(each) for each in series)
    return 100 * (total - silent) / (windows - silent)


def best_threshold(series: Sequence[Series], profile: str) -> float:
    """Return the threshold that scores best, as the benchmark chooses it: with its labels in hand."""
    false_price, missed_price = PROFILES[profile]
    score, gain, of_window = [], [], []
    number = 0
    for each in series:
        value, inside = worth(len(each.scores), each.windows)
        judged = np.arange(len(each.scores)) >= probation(len(each.scores))
        score.append(np.nan_to_num(each.scores, nan=-np.inf)[judged])
        gain.append(np.where(inside < 0, false_price * value, value)[judged])
        of_window.append(np.where(inside < 0, -1, inside + number)[judged])
        number += len(each.windows)
    scores, gains, windows = (np.concatenate(part) for part in (score, gain, of_window))
    order = np.argsort(-scores, kind="stable")
    best, chosen, total = 0.0, np.inf, 0.0
    earned = np.full(number, -missed_price)
    for place, row in enumerate(order):
        if scores[row] == -np.inf:
            break
        if windows[row] < 0:
            total += gains[row]
        elif gains[row] > earned[windows[row]]:
            total += gains[row] - earned[windows[row]]
            earned[windows[row]] = gains[row]
        last = place + 1 == len(order) or scores[order[place + 1]] != scores[row]
        if last and total > best:
            best, chosen = total, float(scores[row])
    return chosen


def _scored_windows(series: Series) -> int:
    first = probation(len(series.scores))
    return sum(last >= first for _, last in series.windows)


def _sigmoid(place: Floats) -> Floats:
    return np.where(place >= _FAR, -1.0, 2 / (1 + np.exp(5 * np.minimum(place, _FAR))) - 1)
