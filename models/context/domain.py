"""What was learnt from, and whether something new lies within it."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5
MARGIN = 2.0
ORDINARY = 0.99
"""Share of what was learnt from that has so many neighbours within half the radius."""

_NARROWEST = 0.05
_MOST_POINTS = 2000
_AT_ONCE = 1000

Floats = NDArray[np.float64]


@dataclass
class Domain:
    """Points that were learnt from.

    A point lies outside when fewer than five of them lie within ``radius`` of it: twice the distance at which
    99 in 100 of them have so many neighbours.

    Attributes
    ----------
    points : shape (n_points, n_axes), each axis in standard deviations
    radius : infinite with too few points to say
    """

    points: Floats
    radius: float

    @classmethod
    def of(cls, points: Floats) -> Self:
        """Learn from points; those that are not known are left out, and many are thinned."""
        known = points[np.isfinite(points).all(axis=1)]
        known = known[np.lexsort(known.T[::-1])]
        known = known[np.linspace(0, len(known) - 1, min(len(known), _MOST_POINTS)).astype(np.intp)]
        if len(known) <= NEIGHBOURS:
            return cls(known, math.inf)
        near = [
            np.partition(_distances(part, known), NEIGHBOURS, axis=1)[:, NEIGHBOURS]
            for part in np.array_split(known, len(known) // _AT_ONCE + 1)
        ]
        return cls(known, max(MARGIN * float(np.quantile(np.concatenate(near), ORDINARY)), _NARROWEST))

    def outside(self, points: Floats) -> NDArray[np.bool_]:
        """Say of each point whether it lies outside; one that is not known does not."""
        found = np.zeros(len(points), np.bool_)
        known = np.flatnonzero(np.isfinite(points).all(axis=1))
        for rows in np.array_split(known, len(known) // _AT_ONCE + 1) if math.isfinite(self.radius) else ():
            found[rows] = (_distances(points[rows], self.points) <= self.radius).sum(axis=1) < NEIGHBOURS
        return found


def _distances(points: Floats, others: Floats) -> Floats:
    squares = np.zeros((len(points), len(others)))
    for mine, theirs in zip(points.T, others.T, strict=True):
        squares += (mine[:, np.newaxis] - theirs) ** 2
    return np.sqrt(squares)
