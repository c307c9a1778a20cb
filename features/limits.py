"""How much of its time a signal spends beyond the limits that the plant file gives it.

A sample stands for the time until the next one, or until the window's end, but for no longer than
the signal's maximum age: what a silent sensor would have said is not known, and does not count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from features.moments import Floats
from features.padded import Known, known_of, total

Which = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which values a signal should stay, in its unit; infinite where there is no such limit."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"limits: {self.low:g} is not below {self.high:g}; write the lowest value first")

    def has(self, which: Which) -> bool:
        """Return whether there is a lower or an upper limit."""
        return math.isfinite(self.low if which == "low" else self.high)

    def to_list(self) -> list[float | None]:
        """Return it as JSON types; ``from_list`` reads it back."""
        return [each if math.isfinite(each) else None for each in (self.low, self.high)]

    @classmethod
    def from_list(cls, data: Sequence[float | None]) -> Self:
        """Read what ``to_list`` wrote.

        Examples
        --------
        >>> Limits.from_list(Limits(high=80.0).to_list())
        Limits(low=-inf, high=80.0)
        """
        low, high = data
        return cls(-math.inf if low is None else low, math.inf if high is None else high)


def held(hours: Floats, longest: float) -> Floats:
    """Return for how many hours each sample stands; 0 in the padding.

    Parameters
    ----------
    hours : time of each sample after the end of its window, so never positive, NaN after the last one
    longest : most hours for which a sample stands; may be infinite

    Examples
    --------
    >>> held(np.array([[-4.0, -3.0, -0.5, np.nan]]), 2.0).tolist()
    [[1.0, 2.0, 0.5, 0.0]]
    """
    until = np.zeros_like(hours)
    until[:, :-1] = np.where(known_of(hours[:, 1:]), hours[:, 1:], 0.0)
    return np.where(known_of(hours), np.minimum(until - hours, longest), 0.0)


def share_above(held: Floats, windows: Floats, limits: Limits) -> Floats:
    """Return the share of the time in which the signal is above its upper limit; 0 to 1.

    NaN when the samples stand for no time at all.

    Parameters
    ----------
    held : hours for which each sample stands, shape (n_windows, n_samples)
    windows : samples in rows that end in NaN, of the same shape

    Examples
    --------
    >>> share_above(np.array([[1.0, 2.0, 1.0]]), np.array([[90.0, 70.0, 80.0]]), Limits(high=80.0)).tolist()
    [0.25]
    """
    return _share(held, windows > limits.high)


def share_below(held: Floats, windows: Floats, limits: Limits) -> Floats:
    """Return the share of the time in which the signal is below its lower limit, as ``share_above`` does."""
    return _share(held, windows < limits.low)


def _share(held: Floats, beyond: Known) -> Floats:
    every = np.ones(held.shape, np.bool_)
    whole = total(held, every)
    return np.where(whole > 0, total(held, beyond) / np.where(whole > 0, whole, 1.0), np.nan)
