"""Where a number lies when more is rejected: below a limit, above one, or outside two."""

from dataclasses import dataclass
from math import floor, inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Region:
    """Values below ``low`` or above ``high``, in the unit of the column; infinite where there is no such limit."""

    low: float = -inf
    high: float = inf

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Say which values lie in it; one that is not known (NaN) does not."""
        return (values < self.low) | (values > self.high)

    def words(self, unit: str = "") -> str:
        """Write it as people do.

        Examples
        --------
        >>> Region(low=62).words("degC"), Region(high=0.5).words(), Region(60, 75).words("degC")
        ('< 62 degC', '> 0.5', '< 60 or > 75 degC')
        """
        limits = [f"{sign} {each:.6g}" for sign, each in (("<", self.low), (">", self.high)) if isfinite(each)]
        return " or ".join(limits) + (f" {unit}" if unit else "")

    def rounded(self, spread: float) -> "Region":
        """Return it with limits that a person would write: off by no more than a hundredth of the usual spread.

        Parameters
        ----------
        spread : of the values, in their unit

        Examples
        --------
        >>> Region(low=61.9342).rounded(8.0)
        Region(low=61.9, high=inf)
        """
        return Region(_rounded(self.low, spread), _rounded(self.high, spread))


def _rounded(limit: float, spread: float) -> float:
    if not isfinite(limit) or not spread > 0:
        return limit
    return round(limit, -floor(log10(spread / 50)))
