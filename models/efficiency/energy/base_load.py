"""The base load: what is used when nothing is made, day by day, and whether it drifts up as with a leak of air."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.energy.periods import EnergyPeriods

Floats = NDArray[np.float64]
LOW = 0.1
_LEAST_PERIODS = 3
_BLOCK = 7
_DAYS_OF_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class BaseLoad:
    """A low quantile (10 %) of the power while nothing was made, of each local day that has enough of it.

    Attributes
    ----------
    day : counted from 1970, ascending, shape (n,)
    kw : shape (n,)
    """

    day: NDArray[np.int64]
    kw: Floats

    @property
    def usual(self) -> float:
        """Median of all days, in kW; NaN where there is none."""
        return float(np.median(self.kw)) if len(self.kw) else np.nan


@dataclass(frozen=True, slots=True)
class Drift:
    """How fast a base load rises: kW a month with its 95 % interval."""

    kw_a_month: float
    low: float
    high: float

    @property
    def rises(self) -> bool:
        """Whether the whole interval lies above nothing."""
        return self.low > 0


def base_load(periods: EnergyPeriods, power: Floats | None = None) -> BaseLoad:
    """Return the base load of each day with three idle periods or more; a few wild ones do not move it.

    Parameters
    ----------
    power : in place of the meter's own, such as its excess over the expected; in kW, shape (n,)
    """
    values = periods.power if power is None else power
    keep = periods.idle & ~np.isnan(values)
    day, own = periods.day[keep], values[keep]
    days = np.unique(day)
    lows = [np.quantile(own[day == each], LOW) if (day == each).sum() >= _LEAST_PERIODS else np.nan for each in days]
    kw = np.array(lows, float)
    return BaseLoad(days[~np.isnan(kw)], kw[~np.isnan(kw)])


def drift(load: BaseLoad, random: np.random.Generator, *, draws: int = 400) -> Drift | None:
    """Return the median slope between all days (Theil and Sen), its interval from resampled weeks; ``None`` below 14.

    Weeks stay whole when they are drawn anew, so that days that resemble each other make the interval no shorter
    than it is.
    """
    if len(load.day) < 2 * _BLOCK:
        return None
    day = load.day.astype(float)
    slope = _slope(day, load.kw)
    left = load.kw - slope * day
    left = left - np.median(left)
    begins = np.arange(len(day) - _BLOCK + 1)
    slopes = []
    for _ in range(draws):
        blocks = random.choice(begins, size=len(day) // _BLOCK + 1)
        drawn = (blocks[:, np.newaxis] + np.arange(_BLOCK)).ravel()[: len(day)]
        slopes.append(_slope(day, slope * day + left[drawn]))
    low, high = np.quantile(slopes, [0.025, 0.975])
    return Drift(slope * _DAYS_OF_A_MONTH, float(low) * _DAYS_OF_A_MONTH, float(high) * _DAYS_OF_A_MONTH)


def _slope(day: Floats, kw: Floats) -> float:
    one, other = np.triu_indices(len(day), 1)
    return float(np.median((kw[other] - kw[one]) / (day[other] - day[one])))
