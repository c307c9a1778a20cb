"""How a component goes from healthy to failed: when it begins, how fast it grows, what is seen of it."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.kind import Component, Mode

_WEAR_SHAPE = 2.0
_QUANTILE_90 = 1.2815515655446004


@dataclass(frozen=True, slots=True)
class Fate:
    """What will happen to a component after its last repair, in running time.

    Attributes
    ----------
    onset, interval : seconds of running until the first sign, and from there to the failure
    exponent : of the growth; damage is progress ** exponent, so it is slow first, then fast
    strength : how much this one moves the signals, 1 as the kind's data says
    """

    mode: Mode
    onset: float
    interval: float
    exponent: float
    strength: float

    @property
    def failure(self) -> float:
        """Seconds of running until the failure."""
        return self.onset + self.interval


@dataclass(slots=True)
class Degradation:
    """One degradation of one machine: the truth, filled in while it happens.

    Times are seconds since 1970 UTC. ``track`` holds (time, progress) at the corners of the
    current day; progress goes from 0 at the first sign to 1 at the failure, and stands still
    while the machine does.
    """

    component: str
    fate: Fate
    began: int
    fails: int = 0
    ended: int | None = None
    outcome: str = ""
    track: list[tuple[int, float]] = field(default_factory=list)

    def damage(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the damage at these times of the current day.

        Parameters
        ----------
        times : array of shape (n,), seconds since 1970 UTC

        Returns
        -------
        array of shape (n,)
            0 before it began and after it was repaired, about 1 just before the failure.
        """
        corners, progress = zip(*self.track, strict=True)
        grown = np.interp(times, corners, progress) ** self.fate.exponent * self.fate.strength
        over = times >= (math.inf if self.ended is None else self.ended)
        return np.where((times < self.began) | over, 0.0, grown)


def draw_fate(
    component: Component, mean_cycle: float, sudden_share: float, randomness: np.random.Generator, *, used: bool
) -> Fate:
    """Draw what will happen to a component that was just repaired.

    Ages at the first sign are Weibull with shape 2 (wear out), ages at a sudden failure are
    exponential (chance); the time from sign to failure is log-normal within the mode's interval.

    Parameters
    ----------
    mean_cycle : mean seconds of running from repair to failure; infinite if it never fails
    used : the component has been running for an unknown time already, as on the first day
    """
    chance, wear, shape, growth, look, part = randomness.random(6)
    pick = int(randomness.integers(len(component.modes)))
    bell = float(randomness.standard_normal())
    if chance < sudden_share:
        return Fate(component.sudden, -math.log1p(-wear) * mean_cycle, 0.0, 1.0, 0.0)
    mode = component.modes[pick]
    low, high = (math.log(hours * 3600) for hours in mode.interval_hours)
    interval = math.exp((low + high) / 2 + bell * (high - low) / (2 * _QUANTILE_90))
    mean_onset = max(mean_cycle - math.exp((low + high) / 2), 0.2 * mean_cycle)
    scale = mean_onset / math.gamma(1 + 1 / _WEAR_SHAPE)
    onset = scale * (-math.log1p(-wear)) ** (1 / _WEAR_SHAPE) * (part if used else 1.0)
    return Fate(mode, onset, interval, 1.2 + 1.6 * growth, 0.7 + 0.35 * (look + shape))
