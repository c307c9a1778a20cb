"""What a level of an anomaly means to people: how often a healthy machine would get there in a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COUNTED = 5
"""Alerts of healthy time from which a rate is counted; rarer ones are as rare as the level says in proportion."""
LONGEST_EXTRAPOLATION = 10.0
"""Nothing is claimed about alerts rarer than once in so many times the healthy history."""
_KNOTS = 12
_FLOOR = 1e-12


@dataclass(frozen=True)
class AlarmRate:
    """Expected false alarms per machine-year if alerts began at a level.

    Between knots the rate is read off on a logarithmic scale of the share of healthy time that is as strange.
    Beyond what was counted it falls as that share does, down to the last knot: one alert in
    ``LONGEST_EXTRAPOLATION`` times the healthy history. All that is stranger is rarer than that, nobody knows by
    how much.

    Attributes
    ----------
    levels : ascending
    rates : false alarms per machine-year, never rising
    """

    levels: tuple[float, ...]
    rates: tuple[float, ...]

    @classmethod
    def learn(cls, levels: Floats, raised: NDArray[np.intp], years: float) -> Self | None:
        """Learn from counts of alerts in healthy time; ``None`` where there was no alert at any level.

        Parameters
        ----------
        levels : thresholds that were tried, descending
        raised : alerts at each of them
        years : machine-years of healthy time
        """
        most = np.maximum.accumulate(raised)
        if not len(most) or not most[-1] or years <= 0:
            return None
        counted = np.flatnonzero(most >= min(COUNTED, most[-1]))
        chosen = counted[np.unique(np.linspace(0, len(counted) - 1, _KNOTS).astype(np.intp))][::-1]
        rarest = 1 / (LONGEST_EXTRAPOLATION * years)
        level = 1 - (1 - levels[chosen[-1]]) * rarest * years / most[chosen[-1]]
        return cls((*map(float, levels[chosen]), float(level)), (*map(float, most[chosen] / years), rarest))

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Self | None:
        """Return what a model card holds; ``None`` where it holds none."""
        knots: Sequence[Sequence[float]] = (card.get("threshold") or {}).get("false_alarms_per_machine_year") or ()
        return cls(tuple(level for level, _ in knots), tuple(rate for _, rate in knots)) if knots else None

    def __call__(self, level: float) -> float:
        """Return the false alarms per machine-year; at most so many where ``beyond`` says so.

        Examples
        --------
        >>> rate = AlarmRate((0.9, 0.99, 0.9999), (50.0, 10.0, 0.1))
        >>> round(rate(0.9)), round(rate(0.99)), round(rate(0.999), 2), rate.beyond(0.999)
        (50, 10, 1.0, False)
        >>> round(rate(0.999999), 2), rate.beyond(0.999999)
        (0.1, True)
        """
        knots = -np.log(np.maximum(_FLOOR, 1 - np.array(self.levels)))
        surprise = -np.log(max(_FLOOR, 1 - level))
        return float(np.exp(np.interp(surprise, knots, np.log(self.rates))))

    def beyond(self, level: float) -> bool:
        """Say whether a level is stranger than all of which a rate can be told."""
        return level > self.levels[-1]

    def to_list(self) -> list[list[float]]:
        """Return what the model card holds."""
        return [[level, rate] for level, rate in zip(self.levels, self.rates, strict=True)]
