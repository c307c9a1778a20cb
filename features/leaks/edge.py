"""Steps at one fixed time before each failure: what was made of the failures afterwards.

A label steps where the horizon begins, because somebody looked ahead. No machine knows the horizon:
what it shows grows from one row to the next, and its greatest step lies there only by chance. So each
failure gives the rank of its step at a given time before it among its steps nearby, and the ranks of
independent failures are put together.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.leaks.chance import ERROR, SURE, at_least, together
from features.leaks.leak import Leak
from features.leaks.seen import Seen, thinned

BINS = 24
"""At most so many steps of a horizon are looked at."""

SIDES = (1, 3)
"""A step is between the means of so many bins on either side: sharp ones, and ones in noise."""

MOST_EVENTS = 200
FEWEST_EVENTS = 3
CREDIBLE = 1 / 3
"""Share of failures whose greatest step may lie at one time: what repeats daily does so each third day."""

SHARP = 10
"""With fewer steps to a horizon, a fault that always takes as long meets its edge by accident, and is only told."""

ROUNDING = 1e-9
"""Steps below this part of a column's greatest deviation are none."""

_AT_ONCE = 32
_SAMPLE = 1_000


@dataclass(frozen=True)
class Edges:
    """Where failures' bins lie in the table.

    Attributes
    ----------
    rows : shape (n_events, n_bins): the last row of each bin, −1 where it has none; bin 0 ends at the failure
    bins : how many bins make a horizon
    """

    rows: NDArray[np.intp]
    bins: int

    @classmethod
    def of(cls, seen: Seen) -> "Edges":
        """Lay bins of an equal share of the horizon before each failure, over three horizons."""
        bins = int(np.clip(seen.horizon // seen.stride, 1, BINS))
        runs = [run for run in seen.runs if seen.time[run.rows.start] < run.begin - seen.horizon - seen.stride]
        if len(runs) > MOST_EVENTS:
            runs = [runs[place] for place in np.linspace(0, len(runs) - 1, MOST_EVENTS).astype(int)]
        rows = np.full((len(runs), 3 * bins), -1, dtype=np.intp)
        for number, run in enumerate(runs):
            place = ((run.begin - seen.time[run.rows]) * bins - 1) // seen.horizon
            inside = place < 3 * bins
            rows[number, place[inside]] = np.arange(run.rows.start, run.rows.stop)[inside]
        return cls(rows, bins)

    def steps(self, values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
        """Return the step between neighbouring bins, later minus earlier, shape (n_events, n_bins − 1, n_columns).

        NaN where a side holds no known value; step b lies between bins b + 1 and b.
        """
        taken = np.where(self.rows[..., np.newaxis] >= 0, values[self.rows], np.nan)
        known = np.isfinite(taken)
        sums = np.cumsum(np.where(known, taken, 0.0), axis=1)
        counts = np.cumsum(known, axis=1)
        zero = np.zeros_like(sums[:, :1])
        sums, counts = np.concatenate([zero, sums], axis=1), np.concatenate([zero, counts], axis=1)
        edge = np.arange(1, self.rows.shape[1])
        low, high = np.maximum(edge - side, 0), np.minimum(edge + side, self.rows.shape[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            later = (sums[:, edge] - sums[:, low]) / (counts[:, edge] - counts[:, low])
            earlier = (sums[:, high] - sums[:, edge]) / (counts[:, high] - counts[:, edge])
        step = later - earlier
        step[np.abs(step) < ROUNDING] = 0.0
        return step


def stepped(seen: Seen) -> Iterator[Leak]:
    """Name columns, and gaps of columns, that step at one fixed time before the failures."""
    edges = Edges.of(seen)
    if len(edges.rows) < FEWEST_EVENTS or edges.bins < 2:
        return
    for begin in range(0, len(seen.to_read), _AT_ONCE):
        places = list(seen.to_read[begin : begin + _AT_ONCE])
        values = seen.table.values[:, places]
        gaps = np.isnan(values)
        for columns, missing in ((_scaled(values), False), ((gaps | _at_default(values)).astype(float), True)):
            tests = len(seen.to_read) * 2 * len(SIDES)
            for side in SIDES:
                steps = edges.steps(columns, side)
                for index, place in enumerate(places):
                    found = _best(steps[:, :, index], edges.bins, side, tests)
                    if found is not None:
                        yield _told(seen, place, found, missing=missing)


@dataclass(frozen=True, slots=True)
class _Aligned:
    """Events whose greatest step lies at one place."""

    at_horizon: bool
    share_of_horizon: float
    tops: int
    events: int
    chance: float


def _best(steps: NDArray[np.float64], bins: int, side: int, tests: int) -> _Aligned | None:
    """Return the place where steps align beyond chance, the horizon's edge first."""
    size = np.abs(steps)
    size[~np.isfinite(size)] = -1.0
    usable = (size >= 0).sum(axis=1) >= bins
    size, steps = size[usable], steps[usable]
    if len(size) < FEWEST_EVENTS:
        return None
    edge = bins - 1
    others = [place for place in range(max(1, bins // 4), steps.shape[1] - side) if abs(place - edge) > side]
    tops = size.max(axis=1)
    counts = {place: int(((size[:, place] >= tops) & (tops > 0)).sum()) for place in (edge, *others)}
    for place in (edge, max(others, key=lambda each: counts[each], default=edge)):
        found = _aligned(size, steps, place, side)
        chance = found.chance * tests * (1 if place == edge else len(others))
        sure = at_least(found.tops, found.events, CREDIBLE) <= SURE
        if sure and chance <= ERROR:
            return _Aligned(place == edge and bins >= SHARP, (place + 1) / bins, found.tops, found.events, chance)
    return None


def _aligned(size: NDArray[np.float64], steps: NDArray[np.float64], place: int, side: int) -> _Aligned:
    """Rank the step at a place among those of the same failure that share no row with it."""
    apart = np.abs(np.arange(size.shape[1]) - place) >= 2 * side - 1
    known = size[:, place] >= 0
    mine, rest, sign = size[known, place], size[known][:, apart], np.sign(steps[known, place])
    others = apart.sum() - (rest < 0).sum(axis=1)
    beaten = (rest >= mine[:, np.newaxis] * (1 - 1e-9)).sum(axis=1)
    rank = np.where(mine > 0, (1 + beaten) / (1 + others), 1.0)
    same = sign == (1 if (sign > 0).sum() * 2 >= len(sign) else -1)
    tops = int(((beaten == 0) & (mine > 0) & same).sum())
    return _Aligned(False, 0.0, tops, len(mine), together(float(np.log(rank).sum()), len(rank)))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns about their middle in units of their greatest deviation, so that no sum overflows."""
    known = np.where(np.isfinite(values), values, np.nan)
    size = np.fmax.reduce(np.abs(known), axis=0)
    known = known / np.where(size > 0, size, 1.0)
    middle = 0.5 * (np.fmin.reduce(known, axis=0) + np.fmax.reduce(known, axis=0))
    most = np.fmax.reduce(np.abs(known - middle), axis=0)
    return (known - middle) / np.where(most > np.finfo(float).eps * 8, most, np.inf)


def _at_default(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say where a column has the one value that stands in a fifth of its rows or more, as a filled gap does."""
    found = np.zeros(values.shape, np.bool_)
    for index in range(values.shape[1]):
        sample = thinned(values[:, index], _SAMPLE)
        known, counts = np.unique(sample[np.isfinite(sample)], return_counts=True)
        if len(known) > 2 and counts.max() * 5 >= len(sample):
            found[:, index] = values[:, index] == known[counts.argmax()]
    return found


def _told(seen: Seen, place: int, found: _Aligned, *, missing: bool) -> Leak:
    hours = found.share_of_horizon * seen.horizon / 3.6e9
    kind = "missing before failures" if missing else "label copy"
    kind = kind if found.at_horizon else "shifted label"
    kind = "errors in step" if seen.is_of_events(place) else kind
    what = "begins or ceases to be missing" if missing else "makes its greatest step"
    odds = max(found.chance, math.ulp(0.0))
    return Leak(
        seen.name(place),
        kind,
        f"{what} {hours:.3g} h before {found.tops} of {found.events} failures,"
        f" {'just where the horizon begins, ' if found.at_horizon else ''}chance alone {odds:.1g}",
    )
