"""Clocks that know when something will come, and columns that hold how long a run will last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.column import feature_of, signal_of
from features.leaks.chance import ERROR, of_correlation
from features.leaks.leak import Leak
from features.leaks.seen import STILL, Run, Seen

FEWEST_RUNS = 3
FEWEST_ROWS = 10
STRAIGHT = 0.995
"""Correlation with time from which a run counts as a straight line."""

ALIKE_RATES = 0.1
"""A clock runs equally fast in all runs, within this part of its rate; what wears has a pace of its own in each."""

ALIKE = 0.05
"""Values at the failures are the same when they spread over no more than this part of a run's range."""

VARIED = 0.2
"""Lengths of runs must spread by so much of their median, or a clock from the start would end alike as well."""

MOST_OF = 0.9
ONE_RATE = 0.02

TELLS_LENGTH = 0.99
"""Correlation, or that of the ranks, from which a value tells lengths; a load that wears knows them less well."""


def counts_down(seen: Seen) -> Iterator[Leak]:
    """Name columns that go straight, or always one way, to the same value at every failure."""
    runs = [run for run in seen.runs if run.rows.stop - run.rows.start >= FEWEST_ROWS]
    if len(runs) < FEWEST_RUNS or _spread(np.array([_length(seen, run.rows) for run in runs])) < VARIED:
        return
    first: dict[tuple[str, str], bool] = {}
    for place in seen.to_read:
        name = seen.name(place)
        told = _countdown(seen, place, runs)
        # The mean of a long window goes steadily where what it is of does not; the shortest window comes first.
        if first.setdefault((signal_of(name) or name, feature_of(name)), bool(told)) and told:
            yield Leak(name, "countdown", told)


def _countdown(seen: Seen, place: int, runs: Sequence[Run]) -> str:
    """Say how a column counts down to the failures; empty when it does not."""
    values = seen.column(place)
    courses, ends = [], []
    for run in runs:
        mine, time = values[run.rows], seen.time[run.rows]
        known = np.isfinite(mine)
        if known.sum() >= FEWEST_ROWS and 2 * known.sum() >= len(mine):
            courses.append(_Course.of(time[known], mine[known]))
            ends.append(mine[known][-1])
    if len(courses) < FEWEST_RUNS:
        return ""
    # What never turns is no reading; what is straight but for noise is one, unless it is as fast in every run.
    steady = np.array([each.steady for each in courses])
    straight = np.array([each.straight for each in courses])
    sign = 1 if straight.sum() + steady.sum() > 0 else -1
    of = steady == sign
    if of.mean() < MOST_OF:
        of = straight == sign
        rates = np.array([each.rate for each in courses])[of]
        if not of.any() or _middle(rates) > ALIKE_RATES * abs(np.median(rates)):
            return ""
    if of.mean() < MOST_OF or of.sum() < FEWEST_RUNS:
        return ""
    apart = _middle(np.array(ends)[of]) / np.median(np.array([each.range for each in courses])[of])
    if apart > ALIKE:
        return ""
    return (
        f"it {'rises' if sign > 0 else 'falls'} steadily in {of.sum()} of {len(of)} runs and ends at the same"
        f" value at each failure, within {100 * apart:.2g} % of a run's range"
    )


def scheduled(seen: Seen) -> Iterator[Leak]:
    """Name columns that fall at one rate and jump back: a clock towards something that is planned."""
    fresh = np.append(True, seen.table.machine[1:] != seen.table.machine[:-1])
    for place in seen.to_read:
        values = seen.column(place)
        # Days to the next service stand still until the day is over.
        moved = np.append(True, np.diff(values) != 0) | fresh
        kept, first = values[moved], fresh[moved]
        inner = ~first[1:]
        rates = np.diff(kept)[inner] / np.diff(seen.time[moved])[inner] * seen.stride
        known = np.isfinite(rates)
        if known.sum() < FEWEST_ROWS * FEWEST_RUNS or 2 * known.sum() < len(known):
            continue
        rate = np.median(rates[known])
        steady = np.abs(rates[known] - rate) <= ONE_RATE * abs(rate)
        back = int((rates[known] > -rate).sum())
        if rate < 0 and steady.mean() >= MOST_OF and back >= FEWEST_RUNS:
            yield Leak(
                seen.name(place),
                "schedule",
                f"it falls at one rate in {100 * steady.mean():.0f} % of its steps and jumps back {back} times",
            )


def run_lengths(seen: Seen) -> Iterator[Leak]:
    """Name columns that stand still in each run and tell how long it will be."""
    runs = [run for run in seen.runs if run.rows.stop - run.rows.start >= FEWEST_ROWS]
    if len(runs) < FEWEST_RUNS:
        return
    lengths = np.array([_length(seen, run.rows) for run in runs])
    for place in seen.to_read:
        values = seen.column(place)
        held = [_constant(values[run.rows]) for run in runs]
        known = np.isfinite(held)
        if known.mean() < MOST_OF or len(np.unique(np.array(held)[known])) < FEWEST_RUNS:
            continue
        own, told = np.array(held)[known], lengths[known]
        r = max(_correlation(own, told), _correlation(_ranks(own), _ranks(told)), key=abs)
        if abs(r) >= TELLS_LENGTH and of_correlation(r, int(known.sum())) * len(seen.to_read) <= ERROR:
            yield Leak(
                seen.name(place),
                "run length",
                f"it stands still in each of {known.sum()} runs and correlates with their lengths by {r:.3f}",
            )


@dataclass(frozen=True, slots=True)
class _Course:
    """How a column goes through one run: 1 up, −1 down, 0 neither.

    Attributes
    ----------
    steady : it never turns; where it stands still now and then, it is straight besides
    straight : it lies on a line, but for some noise
    rate : of that line, in the unit per microsecond
    range : from its least to its greatest value
    """

    steady: int
    straight: int
    rate: float
    range: float

    @classmethod
    def of(cls, time: NDArray[np.int64], values: NDArray[np.float64]) -> "_Course":
        if values.min() == values.max():
            return cls(0, 0, 0.0, 0.0)
        apart = values - values.mean()
        most = np.abs(apart).max()
        clock = (time - time[0]) / (time[-1] - time[0])
        r = _correlation(clock, apart / most)
        rate = float(r * (apart / most).std() / clock.std() / (time[-1] - time[0]) * most)
        steps = np.diff(values)
        way, straight = 1 if r > 0 else -1, abs(r) >= STRAIGHT
        turns = not ((steps >= 0).all() or (steps <= 0).all())
        steady = not turns and (straight or bool((steps != 0).all()))
        return cls(way * steady, way * straight, rate, float(np.ptp(values)))


def _constant(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    if 2 * len(known) < len(values) or not len(known):
        return np.nan
    return float(known[0]) if np.ptp(known) <= STILL * np.abs(known).max() else np.nan


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) > 0 and np.ptp(other) > 0 else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean rank of each value among all."""
    ordered = np.sort(values)
    low, high = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return 0.5 * (low + high).astype(np.float64)


def _length(seen: Seen, rows: slice) -> float:
    return float(seen.time[rows.stop - 1] - seen.time[rows.start])


def _middle(values: NDArray[np.float64]) -> float:
    """Return how far apart the tenth and the ninetieth percentile are."""
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low)


def _spread(lengths: NDArray[np.float64]) -> float:
    return _middle(lengths) / float(np.median(lengths)) if len(lengths) else 0.0
