"""What mistakes cost, and which code to say so that they cost least."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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


def cheapest(probabilities: Floats, table: Floats) -> NDArray[np.intp]:
    """Return the code that is expected to cost least, for each row."""
    return np.argmin(probabilities @ table, axis=1)
