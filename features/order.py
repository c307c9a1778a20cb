"""Order tracking: a snapshot by the angle of its shaft, so that a speed that changes smears no line."""

from dataclasses import dataclass

import numpy as np

from features.moments import Floats
from features.spectrum import Fourier, Spectrum, spectrum

LEAST_TURNS = 4
MOST_UNEVEN = 16
"""How many times slower than on average a shaft may turn at its slowest; memory and time grow with it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a shaft turned during a snapshot.

    Attributes
    ----------
    seconds : ascending times after the snapshot's first sample, shape (n,), n ≥ 1
    turns : turns a second at these times; straight between them, and held before the first and after the last
    """

    seconds: Floats
    turns: Floats

    def mean(self, length: float) -> float:
        """Return turns a second over the first ``length`` seconds."""
        return float(self.angle(np.array([length]))[0] / length)

    def at(self, seconds: Floats) -> Floats:
        """Return turns a second at some times."""
        return np.interp(seconds, self.seconds, self.turns)

    def angle(self, seconds: Floats) -> Floats:
        """Return the turns from 0 s to some times, none of them earlier."""
        knots = np.concatenate([[0.0], self.seconds[self.seconds > 0]])
        speeds = self.at(knots)
        turned = np.concatenate([[0.0], np.cumsum(np.diff(knots) * (speeds[1:] + speeds[:-1]) / 2)])
        place = np.searchsorted(knots, seconds, side="right") - 1
        return turned[place] + (seconds - knots[place]) * (speeds[place] + self.at(seconds)) / 2


def by_angle(values: Floats, rate: float, speed: Speed) -> tuple[Floats, float]:
    """Return samples at equal steps of the shaft's angle, and how many of them make a turn.

    There are as many a turn as at the slowest moment, so nothing folds back; a cubic spline gives what lies between.
    """
    from scipy.interpolate import CubicSpline  # takes longer to load than all the rest of this package

    seconds = np.arange(len(values)) / rate
    angle = speed.angle(seconds)
    a_turn = float(np.ceil(rate / speed.at(seconds).min()))
    wanted = np.arange(int(angle[-1] * a_turn) + 1) / a_turn
    return CubicSpline(seconds, values)(np.interp(wanted, angle, seconds)), a_turn


def order_spectrum(values: Floats, rate: float, speed: Speed) -> Spectrum | None:
    """Return the spectrum by order: its ``step`` is in multiples of the running speed.

    Returns
    -------
    Spectrum
        ``None`` where the shaft stood still or nearly so for a moment, or turned fewer than ``LEAST_TURNS`` times.
    """
    length = len(values) / rate
    mean, slowest = speed.mean(length), speed.at(np.arange(len(values)) / rate).min()
    if not slowest > 0 or mean > MOST_UNEVEN * slowest or mean * length < LEAST_TURNS:
        return None
    return spectrum(Fourier.of(*by_angle(values, rate, speed)))
