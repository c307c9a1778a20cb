"""The EWMA chart: an exponentially weighted mean against limits that widen from the start."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.signal import lfilter

from models.efficiency.look import Floats, Look, checked


@dataclass(frozen=True, slots=True)
class Ewma:
    """w ← λz + (1 − λ)w from 0; signals beyond ±L √(λ / (2 − λ) (1 − (1 − λ)^2t)), t = 1 at the first point.

    Source: Roberts, Control chart tests based on geometric moving averages, Technometrics 1 (1959).

    Attributes
    ----------
    weight : λ, above 0 and up to 1; 1 is the Shewhart chart
    limit : L

    Examples
    --------
    >>> Ewma(weight=1.0).statistic(np.array([1.0, -2.0])).tolist()
    [1.0, 2.0]
    """

    weight: float = 0.2
    limit: float = 2.962
    rules: ClassVar[tuple[str, ...]] = ("weighted mean beyond the limit",)

    def __post_init__(self) -> None:
        """Refuse a weight that is none."""
        if not 0 < self.weight <= 1:
            raise ValueError(f"the weight of an EWMA lies above 0 and up to 1, not at {self.weight:g}")

    def statistic(self, standardised: Floats) -> Floats:
        """Return the distance of the weighted mean from the centre, in its own standard deviation."""
        return np.abs(self._mean(standardised))

    def look(self, standardised: Floats) -> Look:
        """Return where the weighted mean lies beyond its limits."""
        mean = self._mean(checked(standardised))
        return Look.of_sides([mean > self.limit], [mean < -self.limit])

    def _mean(self, standardised: Floats) -> Floats:
        kept = 1 - self.weight
        mean = lfilter([self.weight], [1.0, -kept], standardised, axis=-1)
        time = np.arange(1, standardised.shape[-1] + 1)
        spread = np.sqrt(self.weight / (2 - self.weight) * (1 - kept ** (2 * time)))
        return mean / spread
