"""What mistakes cost, and which code to say so that they cost least."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHIFTS = np.linspace(-2.0, 2.0, 81)
_BLUR = 0.3
_EVENTS_FOR_TRUST = 20
"""Mistakable rows of the rarer code at which the simulated optimum weighs as much as the break-even."""


def price_table(codes: Sequence[object], mistakes: Iterable[tuple[object, object, float]]) -> Floats:
    """Return what it costs to say code j where i is recorded, shape (n_codes, n_codes).

    Every mistake costs 1 when none is named; otherwise one that is not named costs nothing.

    Examples
    --------
    >>> price_table(["neg", "pos"], [("neg", "pos", 10), ("pos", "neg", 500)]).tolist()
    [[0.0, 10.0], [500.0, 0.0]]
    """
    named = list(mistakes)
    if not named:
        return 1.0 - np.eye(len(codes))
    place = {code: number for number, code in enumerate(codes)}
    table = np.zeros((len(codes), len(codes)))
    for was, said, costs in named:
        if was in place and said in place:
            table[place[was], place[said]] = costs
    return table


def cheapest(probabilities: Floats, table: Floats, shift: float = 0.0) -> NDArray[np.intp]:
    """Return the code that is expected to cost least, for each row.

    Parameters
    ----------
    shift : of two codes, what is added to the log-odds of the second one first
    """
    if shift and probabilities.shape[1] == 2:
        weighed = probabilities * np.exp([-shift / 2, shift / 2])
        probabilities = weighed / weighed.sum(axis=1, keepdims=True)
    return np.argmin(probabilities @ table, axis=1)


def best_shift(probabilities: Floats, code: NDArray[np.intp], table: Floats) -> float:
    """Return by how much the log-odds of the second of two codes are to be shifted so that held-out rows cost least.

    Calibrated probabilities need no shift on average; where a mistake of one kind costs many times the other, the
    decision lies in a tail where nobody can calibrate well, and what it cost is the better judge. The cost over the
    shifts is blurred, and the choice drawn towards none, the more the fewer rows of the rarer code there are.
    0 for more than two codes.

    Parameters
    ----------
    probabilities : held out, shape (n_rows, n_codes)
    """
    if probabilities.shape[1] != 2 or np.ptp(table[~np.eye(2, dtype=np.bool_)]) == 0:
        return 0.0
    spent = np.array([table[code, cheapest(probabilities, table, shift)].sum() for shift in _SHIFTS])
    blur = np.exp(-0.5 * (np.subtract.outer(_SHIFTS, _SHIFTS) / _BLUR) ** 2)
    smooth = blur @ spent / blur.sum(axis=1)
    rarer = int(np.bincount(code, minlength=2).min())
    return float(_SHIFTS[np.argmin(smooth)] * rarer / (rarer + _EVENTS_FOR_TRUST))
