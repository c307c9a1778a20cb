"""What a level of an anomaly means to people: how often a healthy machine would get there in a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COUNTED = 5
"""Alerts of healthy time from which a rate is counted; rarer ones are as rare as the level says in proportion."""
_KNOTS = 12
_FLOOR = 1e-12


@dataclass(frozen=True)
class AlarmRate:
    """Expected false alarms per machine-year if alerts began at a level.

    Between knots the rate is read off on a logarithmic scale of the share of healthy time that is as strange;
    beyond the last one it falls as that share does.

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
        return cls(tuple(map(float, levels[chosen])), tuple(map(float, most[chosen] / years)))

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Self | None:
        """Return what a model card holds; ``None`` where it holds none."""
        knots: Sequence[Sequence[float]] = (card.get("threshold") or {}).get("false_alarms_per_machine_year") or ()
        return cls(tuple(level for level, _ in knots), tuple(rate for _, rate in knots)) if knots else None

    def __call__(self, level: float) -> float:
        """Return the false alarms per machine-year.

        Examples
        --------
        >>> rate = AlarmRate((0.9, 0.99), (50.0, 10.0))
        >>> round(rate(0.9)), round(rate(0.99)), round(rate(0.999), 2)
        (50, 10, 1.0)
        """
        knots = -np.log(np.maximum(_FLOOR, 1 - np.array(self.levels)))
        surprise = -np.log(max(_FLOOR, 1 - level))
        if surprise > knots[-1]:
            return float(self.rates[-1] * np.exp(knots[-1] - surprise))
        return float(np.exp(np.interp(surprise, knots, np.log(self.rates))))

    def to_list(self) -> list[list[float]]:
        """Return what the model card holds."""
        return [[level, rate] for level, rate in zip(self.levels, self.rates, strict=True)]
