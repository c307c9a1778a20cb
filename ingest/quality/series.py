"""One signal of one machine over a span, as the faults look at it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]

_REGULAR_WITHIN = 0.1
_REGULAR_SHARE = 0.5


@dataclass(frozen=True)
class Series:
    """Readings of one signal of one machine.

    Attributes
    ----------
    times : event times in microseconds since 1970, sorted; shape (n,)
    values : what was read, finite; shape (n,)
    first, last : the span that is looked at, in the same unit; readings may be missing at its ends
    every : declared time between two readings in microseconds; ``None`` where the plant file says none
    low, high : what the sensor can give at least and at most; infinite where the plant file says nothing
    resting : whether the machine as a whole stands still; shape (n,)
    eventful : whether most of the machine's signals jumped about then, as at a start; shape (n,)
    arrived : when each reading arrived, in microseconds since 1970; shape (n,), empty where that says nothing
    rejected : readings that were turned away as no numbers
    outside : readings that were turned away as out of the range that the plant file declares
    replaced : readings whose time came again with another value
    """

    times: Times
    values: Values
    first: int
    last: int
    every: int | None = None
    low: float = -np.inf
    high: float = np.inf
    resting: NDArray[np.bool_] | None = None
    eventful: NDArray[np.bool_] | None = None
    arrived: Times | None = None
    rejected: int = 0
    outside: int = 0
    replaced: int = 0

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def steps(self) -> Times:
        """Time between each reading and the one before; shape (n - 1,)."""
        return np.diff(self.times)

    @cached_property
    def interval(self) -> int:
        """Time between two readings: as declared, or else their median; 0 with fewer than two readings."""
        return self.every or (int(np.median(self.steps)) if len(self) > 1 else 0)

    @cached_property
    def regular(self) -> bool:
        """Whether readings come at a steady pace, as declared or as they show."""
        if self.every is not None:
            return True
        if len(self) < 3:
            return False
        beside = np.abs(self.steps - self.interval) <= _REGULAR_WITHIN * self.interval
        return bool(beside.mean() >= _REGULAR_SHARE)

    @cached_property
    def changes(self) -> Values:
        """Difference of each reading from the one before; shape (n - 1,)."""
        return np.diff(self.values)

    @cached_property
    def runs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begin (as a place) and length of each run of equal values."""
        begins = np.flatnonzero(np.concatenate(([True], self.changes != 0))) if len(self) else np.zeros(0, np.int64)
        return begins, np.diff(np.append(begins, len(self)))

    @cached_property
    def counts_up(self) -> bool:
        """Whether it is a counter: it never falls, but for a few times at once by most of what it had."""
        rising, falling = self.changes > 0, self.changes < 0
        if rising.sum() < 10 or falling.mean() > 0.005:
            return False
        before, after = self.values[:-1][falling], self.values[1:][falling]
        grown = float(self.changes[rising].sum())
        return bool((after - self.values.min() <= 0.2 * (before - self.values.min())).all()) and grown > 0


def robust_deviation(values: Values) -> float:
    """Return the standard deviation that normally distributed values of this median deviation would have."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
