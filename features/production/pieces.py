"""Pieces that were counted: when, of which product, and what became of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.microsecond import Times
from features.production.stretches import Course

OUTCOMES = ("good", "scrap", "rework")
"""What becomes of a piece, as the code of a ``count``; rework was made and was not good the first time."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of one machine, a row for each count.

    Attributes
    ----------
    begin, time : they were made in (begin, time], in microseconds; at ``time`` where both are one; shape (n_counts,)
    product : number of the product; ``NOTHING`` where the count does not name it
    outcome : place among ``OUTCOMES``
    amount : pieces
    """

    begin: Times
    time: Times
    product: NDArray[np.int64]
    outcome: NDArray[np.int64]
    amount: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Pieces":
        """Return no pieces."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, nothing, np.empty(0))

    def where(self, rows: NDArray[np.bool_]) -> "Pieces":
        """Return some of the counts."""
        return Pieces(self.begin[rows], self.time[rows], self.product[rows], self.outcome[rows], self.amount[rows])

    def shared_out(self, borders: Times, course: Course, running: NDArray[np.bool_]) -> "Pieces":
        """Cut counts that last at borders, such as the ends of shifts, in proportion to the running time on each side.

        Where the machine did not run while they were made, all of them stay at the end.

        Parameters
        ----------
        borders : ascending, in microseconds
        course : what the machine did; a count that began before it is shared over what lies in it
        running : whether it ran, in each part of the course
        """
        first = np.searchsorted(borders, self.begin, side="right")
        cuts = np.maximum(np.searchsorted(borders, self.time, side="left") - first, 0)
        if not cuts.any():
            return self
        row = np.repeat(np.arange(len(cuts)), cuts + 1)
        step = np.arange(len(row)) - np.repeat(np.cumsum(cuts + 1) - cuts - 1, cuts + 1)
        begin = np.where(step == 0, self.begin[row], borders[np.minimum(first[row] + step, len(borders)) - 1])
        at_end = step == cuts[row]
        stop = np.where(at_end, self.time[row], borders[np.minimum(first[row] + step, len(borders) - 1)])
        ran = np.concatenate([[0], np.cumsum(np.where(running, course.lengths, 0))])
        until, since = (np.interp(each, course.edges, ran) for each in (stop, begin))
        whole = np.bincount(row, weights=until - since)[row]
        share = np.where(whole > 0, (until - since) / np.where(whole > 0, whole, 1), at_end)
        kept = (share > 0) | at_end
        row = row[kept]
        return Pieces(begin[kept], stop[kept], self.product[row], self.outcome[row], self.amount[row] * share[kept])
