"""Look through all columns for where most is rejected: what is found here is still to be shown on later time."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from features.column import feature_of, signal_of
from models.levers.contrast import contrast
from models.levers.lever import PLAIN
from models.levers.lots import Lots
from models.levers.region import Region

Floats = NDArray[np.float64]

MOST = 8
"""Candidates that are looked at on later time: each more makes all of them harder to show."""
LEAST_RATIO = 1.2
_LEAST_Z = 2.0
_EDGES = np.linspace(0.05, 0.95, 37)
_OUTSIDE_BETTER = 1.1
_OTHER_BETTER = 1.15
_DRAWS = 200
_FEWEST = 60
_LEAST_INSIDE, _LEAST_OUTSIDE = 0.025, 0.1
_BELOW, _ABOVE, _OUTSIDE = range(3)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region of one column in which more seems to be rejected.

    Attributes
    ----------
    column : its place
    score : excess of rejects over its spread between stretches of time
    low_between, high_between : where the limits lie in 90 % of stretches drawn anew; ``None`` where there is no limit
    """

    column: int
    region: Region
    score: float
    low_between: tuple[float, float] | None
    high_between: tuple[float, float] | None


def screened(lots: Lots) -> list[Candidate]:
    """Return the best region of each signal, the most telling first, at most ``MOST``.

    Of the features of one signal a plain mean or reading is taken unless another tells clearly more.
    """
    strata, blocks = lots.strata(), lots.stretches()
    best: dict[str, Candidate] = {}
    for column, name in enumerate(lots.names):
        own = signal_of(name) or name
        found, held = _of_column(lots, column, strata, blocks), best.get(own)
        if found and (held is None or found.score * _weight(lots, found) > held.score * _weight(lots, held)):
            best[own] = found
    return sorted(best.values(), key=lambda each: -each.score)[:MOST]


def _weight(lots: Lots, candidate: Candidate) -> float:
    return _OTHER_BETTER if feature_of(lots.names[candidate.column]) in PLAIN else 1.0


def _of_column(lots: Lots, column: int, strata: NDArray[np.intp], blocks: NDArray[np.intp]) -> Candidate | None:
    """Return the best region of one column, if there is one worth looking at."""
    known = np.flatnonzero(np.isfinite(lots.values[:, column]))
    own, values = lots.where(known), lots.values[known, column]
    edges = _edges(values)
    if not len(edges):
        return None
    cut = _Cut.of(own, values, edges, strata[known], blocks[known])
    choice = cut.best()
    if choice is None:
        return None
    excess = cut.excess(choice[0])[:, choice[1]]
    score = float(excess.sum() / max(np.sqrt((excess**2).sum()), 1e-12))
    region = cut.region(*choice).rounded(float(np.ptp(np.quantile(values, _EDGES))))
    inside = region.holds(values)
    share = float(own.pieces[inside].sum() / own.pieces.sum())
    if score < _LEAST_Z or not _LEAST_INSIDE <= share <= 1 - _LEAST_OUTSIDE:
        return None
    if (contrast(own, inside, strata[known]).ratio.value or 0.0) < LEAST_RATIO:
        return None
    low, high = cut.limits(choice[0])
    return Candidate(column, region, score, _around(region.low, low), _around(region.high, high))


def _around(limit: float, between: tuple[float, float]) -> tuple[float, float] | None:
    """Return between which edges a limit lies, itself too, which was rounded; ``None`` where there is none."""
    return (min(between[0], limit), max(between[1], limit)) if isfinite(limit) else None


@dataclass(frozen=True, slots=True)
class _Cut:
    """Excess of rejects below each of some edges, by stretch of time.

    Attributes
    ----------
    by_block : of what a stratum lets expect, shape (n_blocks, n_edges); that above an edge is the same with other sign
    spread : of the excess below or above, and outside of pairs of edges, if single pieces were all that chance moved;
        shape (2, n_edges)
    """

    edges: Floats
    by_block: Floats
    spread: Floats

    @classmethod
    def of(
        cls, lots: Lots, values: Floats, edges: Floats, strata: NDArray[np.intp], blocks: NDArray[np.intp]
    ) -> "_Cut":
        """Add up lots by the edges that their values, all known, lie between."""
        place = np.searchsorted(edges, values, side="right")
        bins = len(edges) + 1
        made, bad = (_table(strata, place, bins, each) for each in (lots.pieces, lots.rejects))
        whole = np.maximum(made.sum(axis=1, keepdims=True), 1e-12)
        share = bad.sum(axis=1, keepdims=True) / whole
        excess = lots.rejects - lots.pieces * share[strata, 0]
        below = np.cumsum(made, axis=1)[:, :-1]
        by_block = np.cumsum(_table(blocks, place, bins, excess), axis=1)[:, :-1]
        by_block -= _table(blocks, strata, len(made), excess) @ (below / whole)
        odds = share * (1 - share)
        outside = np.minimum(below + whole - below[:, ::-1], whole)
        spread = [np.sqrt((odds * part * (whole - part) / whole).sum(axis=0)) for part in (below, outside)]
        return cls(edges, by_block, np.maximum(spread, 1e-9))

    def excess(self, kind: int) -> Floats:
        """Return the excess of each block in regions of a kind."""
        if kind == _OUTSIDE:
            return self.by_block - self.by_block[:, ::-1]
        return self.by_block if kind == _BELOW else -self.by_block

    def scores(self, kind: int, weight: Floats) -> Floats:
        """Return the excess over its spread at each edge, blocks counting as weighted, shape (..., n_edges)."""
        scores = weight @ self.excess(kind) / self.spread[int(kind == _OUTSIDE)]
        if kind == _OUTSIDE:
            sides = weight @ self.by_block
            both = np.minimum(sides, -sides[..., ::-1]) > 0
            first = np.arange(len(self.edges)) < len(self.edges) // 2
            return np.where(both & first, scores / _OUTSIDE_BETTER, 0.0)
        return scores

    def best(self) -> tuple[int, int] | None:
        """Return kind and place of the region with the most excess over its spread."""
        every = np.ones(len(self.by_block))
        found = [(self.scores(kind, every), kind) for kind in (_BELOW, _ABOVE, _OUTSIDE)]
        score, kind, at = max((float(each.max()), kind, int(each.argmax())) for each, kind in found)
        return (kind, at) if score > 0 else None

    def region(self, kind: int, at: int) -> Region:
        """Return the region of a kind at an edge."""
        if kind == _BELOW:
            return Region(low=float(self.edges[at]))
        if kind == _ABOVE:
            return Region(high=float(self.edges[at]))
        return Region(float(self.edges[at]), float(self.edges[len(self.edges) - 1 - at]))

    def limits(self, kind: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return between which edges both limits of a kind lie when blocks are drawn anew."""
        random, count = np.random.default_rng(0), len(self.by_block)
        drawn = random.multinomial(count, np.full(count, 1 / count), size=_DRAWS).astype(np.float64)
        at = np.argmax(self.scores(kind, drawn), axis=1)
        return self._between(at), self._between(len(self.edges) - 1 - at if kind == _OUTSIDE else at)

    def _between(self, at: NDArray[np.intp]) -> tuple[float, float]:
        """Return the edges next to the middle 90 % of places: a limit is known no finer than edges lie."""
        low, high = np.quantile(at, [0.05, 0.95])
        first, last = max(int(low) - 1, 0), min(int(np.ceil(high)) + 1, len(self.edges) - 1)
        return float(self.edges[first]), float(self.edges[last])


def _table(row: NDArray[np.intp], place: NDArray[np.intp], size: int, amount: Floats) -> Floats:
    count = int(row.max(initial=0)) + 1
    sums: Floats = np.bincount(row * size + place, weights=amount, minlength=count * size).astype(np.float64)
    return sums.reshape(count, size)


def _edges(values: Floats) -> Floats:
    """Return where values, all known, may be cut: between two of them, near each twentieth from the 5th to the 95th."""
    if len(values) < _FEWEST:
        return np.empty(0)
    different = np.unique(values)
    place = np.searchsorted(different, np.quantile(values, _EDGES))
    place = np.unique(place[(place > 0) & (place < len(different))])
    return (different[place - 1] + different[place]) / 2
