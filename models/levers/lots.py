"""Lots: pieces that were made under the same readings, and how many of them were rejected."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERIODS = 4
BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Lots:
    """What was made of one product on one machine in one window: a single inspected piece, or all counted ones.

    Attributes
    ----------
    machine, product : array of str objects, shape (n_lots,)
    time : end of the window, datetime64[us] in UTC, shape (n_lots,)
    names : columns of ``values``, as in a ``FeatureTable``
    values : of the window, shape (n_lots, n_names); NaN where a feature cannot be said
    pieces, rejects : shape (n_lots,)
    price : what a reject cost, shape (n_lots,); NaN where nobody said

    Rows are sorted by (machine, time).
    """

    machine: NDArray[Any]
    product: NDArray[Any]
    time: NDArray[np.datetime64]
    names: tuple[str, ...]
    values: Floats
    pieces: Floats
    rejects: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.time)

    def where(self, rows: NDArray[Any]) -> "Lots":
        """Return the lots of a mask or index."""
        own = ("machine", "product", "time", "values", "pieces", "rejects", "price")
        return replace(self, **{name: getattr(self, name)[rows] for name in own})

    def strata(self, *, periods: int = PERIODS) -> NDArray[np.intp]:
        """Return the number of what each lot is compared within: one machine, one product, one stretch of time.

        What differs between machines and products, and what drifts slowly, is then no lever.

        Returns
        -------
        array of shape (n_lots,), from 0 on without gaps
        """
        machine, product = (
            np.unique(each.astype(str), return_inverse=True)[1] for each in (self.machine, self.product)
        )
        parts = np.column_stack([machine, product, self.stretches(periods)])
        return np.unique(parts, axis=0, return_inverse=True)[1].reshape(-1)

    def stretches(self, count: int = BLOCKS) -> NDArray[np.intp]:
        """Return in which of ``count`` stretches of time, with about as many lots each, a lot lies."""
        if not len(self):
            return np.zeros(0, np.intp)
        borders = np.sort(self.time)[len(self) * np.arange(1, count) // count]
        return np.searchsorted(borders, self.time, side="right")
