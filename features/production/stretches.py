"""Stretches of one machine's time and what it did in each; several layers of them made one course."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.microsecond import Times

NOTHING = -1
"""What is said of a moment that lies in no stretch."""
_NEVER = np.iinfo(np.int64).max

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stretches:
    """Some of a machine's time, ascending and apart.

    Attributes
    ----------
    begin, stop : microseconds since 1970, shape (n_stretches,), begin < stop
    what : number of what is said of each, shape (n_stretches,), 0 or above
    """

    begin: Times
    stop: Times
    what: Numbers

    @classmethod
    def overlapping(cls, begin: Times, stop: Times, what: NDArray[Any]) -> "Stretches":
        """Return stretches that may overlap: the one that began later holds while it lasts, then the earlier again.

        Of two that begin together the later in the list holds. Those without length are left out.

        Examples
        --------
        >>> found = Stretches.overlapping(np.array([0, 2]), np.array([9, 5]), np.array([1, 7]))
        >>> list(zip(found.begin.tolist(), found.stop.tolist(), found.what.tolist()))
        [(0, 2, 1), (2, 5, 7), (5, 9, 1)]
        """
        lasting = np.flatnonzero(stop > begin)
        order = lasting[np.argsort(begin[lasting], kind="stable")]
        begin, stop, what = begin[order], stop[order], what[order].astype(np.int64)
        if (begin[1:] >= np.maximum.accumulate(stop)[:-1]).all():
            return cls(begin, stop, what)
        return cls(*np.array(_swept(begin, stop, what), np.int64).reshape(-1, 3).T)

    @classmethod
    def until_next(
        cls, begin: Times, stop: Times, what: NDArray[Any], end: int, hold: int | None = None
    ) -> "Stretches":
        """Return states, each of which lasts until it stops or the next one begins.

        Parameters
        ----------
        begin : ascending; of several at one moment the last one holds
        stop : the largest integer where it is not known
        end : of the time that is looked at
        hold : how long one is believed at most, in microseconds
        """
        stop = np.minimum(stop, np.append(begin[1:], end))
        if hold is not None:
            stop = np.where(stop - begin > hold, begin + hold, stop)
        lasting = stop > begin
        return cls(begin[lasting], stop[lasting], what[lasting].astype(np.int64))

    @classmethod
    def of_samples(cls, first: int, every: int, what: NDArray[Any]) -> "Stretches":
        """Return states that were sampled at a steady rate; each sample holds until the next one.

        Parameters
        ----------
        first, every : time of the first sample and between two of them, in microseconds
        what : shape (n_samples,), any integers; ``NOTHING`` where nothing was said
        """
        changes = np.concatenate([[0], np.flatnonzero(what[1:] != what[:-1]) + 1]) if len(what) else np.empty(0, int)
        begin = first + changes * every
        stop = np.append(begin[1:], first + len(what) * every)[: len(begin)]
        said = what[changes] != NOTHING
        return cls(begin[said], stop[said], what[changes][said].astype(np.int64))

    def at(self, moments: Times) -> Numbers:
        """Return what is said of each moment, begin ≤ moment < stop; ``NOTHING`` where nothing is."""
        if not len(self.begin):
            return np.full(len(moments), NOTHING)
        place = np.searchsorted(self.begin, moments, side="right") - 1
        inside = (place >= 0) & (moments < self.stop[place])
        return np.where(inside, self.what[place], NOTHING)


def ascending(runs: Sequence[Times]) -> Times:
    """Return all moments of some runs once, ascending; quick where each run ascends, as a merge of them is."""
    moments = np.sort(np.concatenate([np.empty(0, np.int64), *runs]), kind="stable")
    return moments[np.diff(moments, prepend=moments[:1] - 1) > 0]


def _swept(begin: Times, stop: Times, what: Numbers) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    open_: list[tuple[int, int]] = []
    at = 0

    def until(limit: int) -> None:
        nonlocal at
        while open_ and at < limit:
            end, said = open_[-1]
            if end > at:
                found.append((at, min(end, limit), said))
                at = min(end, limit)
            if end <= at:
                open_.pop()
        at = limit

    for first, last, said in zip(begin.tolist(), stop.tolist(), what.tolist(), strict=True):
        until(first)
        open_.append((last, said))
    until(_NEVER)
    return found


@dataclass(frozen=True, slots=True)
class Course:
    """What is said of every moment of a span.

    Attributes
    ----------
    edges : ascending, shape (n + 1,); something may change at each but the last
    what : from each edge until the next, shape (n,)
    """

    edges: Times
    what: Numbers

    @classmethod
    def overlaid(cls, layers: Sequence[Stretches], start: int, stop: int) -> "Course":
        """Return what the highest layer says that says anything; ``NOTHING`` where none does.

        Parameters
        ----------
        layers : the lowest first
        start, stop : of the span, in microseconds
        """
        inner = ascending([each for of in layers for each in (of.begin, of.stop)])
        begins = np.concatenate([[start], inner[(inner > start) & (inner < stop)]])
        what = np.full(len(begins), NOTHING)
        for layer in layers:
            said = layer.at(begins)
            what = np.where(said == NOTHING, what, said)
        return cls.joined(np.append(begins, stop), what)

    @classmethod
    def joined(cls, edges: Times, what: Numbers) -> "Course":
        """Return a course without the edges at which nothing changes."""
        changes = np.concatenate([[True], what[1:] != what[:-1]])
        return cls(np.append(edges[:-1][changes], edges[-1]), what[changes])

    @property
    def lengths(self) -> Times:
        """Return how long each part lasts, in microseconds."""
        return np.diff(self.edges)

    def at(self, moments: Times) -> Numbers:
        """Return what is said of moments of the span, edge ≤ moment < next edge."""
        return self.what[np.searchsorted(self.edges, moments, side="right") - 1]

    def places(self, moments: Times) -> Numbers:
        """Return the part that each moment ends in, edge < moment ≤ next edge."""
        return np.clip(np.searchsorted(self.edges, moments, side="left") - 1, 0, len(self.what) - 1)
