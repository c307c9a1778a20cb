"""How long machines run between breakdowns and how long repairs take, with what has not failed yet taken into account.

Mean times are given by two conventions. ``classic`` divides up time by failures and repair time by repairs. ``iso``
divides by failures + 1, as ISO 22400-2 is said to do (unchecked); it has a value without any failure. Both forget that
the newest stretch has not ended; the Kaplan-Meier median and the Weibull fit do not.

Kaplan and Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958), 457-481.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR

Convention = Literal["classic", "iso"]
Lengths = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weibull:
    """A Weibull distribution: shape above 1 wears out, below 1 fails early, 1 fails at random; scale as the lengths."""

    shape: float
    scale: float

    @property
    def median(self) -> float:
        """Length that half of the stretches outlast."""
        return float(self.scale * np.log(2) ** (1 / self.shape))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Times between breakdowns of some machines, in hours of planned busy time outside breakdowns.

    Attributes
    ----------
    convention : how the means were formed
    mtbf, mttr : mean time between failures, and to repair; ``None`` without a failure where the convention needs one
    median : Kaplan-Meier median of the time between failures; ``None`` where more than half have not ended
    weibull : fitted to the same stretches; ``None`` below two failures that follow one another
    stretches, censored : stretches since a failure that those two rest on, and how many of them have not ended
    """

    convention: Convention
    failures: int
    up: float
    repair: float
    mtbf: float | None
    mttr: float | None
    median: float | None
    weibull: Weibull | None
    stretches: int
    censored: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; times in hours."""
        return {
            "convention": self.convention,
            "failures": self.failures,
            "mtbf_hours": self.mtbf,
            "mttr_hours": self.mttr,
            "median_hours": self.median,
            "weibull_shape": None if self.weibull is None else self.weibull.shape,
            "weibull_scale_hours": None if self.weibull is None else self.weibull.scale,
            "stretches": self.stretches,
            "censored": self.censored,
        }


def reliability_of(failures: pd.DataFrame, convention: Convention = "classic") -> Reliability:
    """Return how reliable machines were.

    The first stretch of each machine began at nobody knows what age, so it is part of the means and not of the median.

    Parameters
    ----------
    failures : with ``features.production.ledger.FAILURES``, of one machine or several alike
    """
    ended = failures["begin"].notna().to_numpy(bool)
    up, repair = (failures[name].to_numpy(np.float64).sum() / HOUR for name in ("up", "repair"))
    count = int(ended.sum())
    divisor = count + (convention == "iso")
    since = failures["up_since_failure"].to_numpy(bool) & (failures["up"].to_numpy() > 0)
    lengths = failures["up"].to_numpy(np.float64)[since] / HOUR
    return Reliability(
        convention=convention,
        failures=count,
        up=up,
        repair=repair,
        mtbf=up / divisor if divisor else None,
        mttr=repair / divisor if divisor else None,
        median=median_of(lengths, ended[since]),
        weibull=weibull_of(lengths, ended[since]),
        stretches=int(since.sum()),
        censored=int((since & ~ended).sum()),
    )


def kaplan_meier(lengths: Lengths, ended: NDArray[np.bool_]) -> tuple[Lengths, Lengths]:
    """Return the share that outlasts each length at which something ended.

    Parameters
    ----------
    lengths : of stretches, shape (n,)
    ended : whether each ended; the others lasted at least so long

    Returns
    -------
    lengths at which any ended, ascending, and the share that lasts longer

    Examples
    --------
    >>> kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([True, False, True, True]))[1].round(3).tolist()
    [0.75, 0.375, 0.0]
    """
    at, ends = np.unique(lengths[ended], return_counts=True)
    at_risk = len(lengths) - np.searchsorted(np.sort(lengths), at, side="left")
    return at, np.cumprod(1 - ends / at_risk, dtype=np.float64)


def median_of(lengths: Lengths, ended: NDArray[np.bool_]) -> float | None:
    """Return the shortest length that at most half outlast; ``None`` if more than half outlast all that ended."""
    at, lasting = kaplan_meier(lengths, ended)
    # A product of shares that should be one half may lie a rounding error above it.
    below = np.flatnonzero(lasting <= 0.5 + 1e-12)
    return float(at[below[0]]) if len(below) else None


def weibull_of(lengths: Lengths, ended: NDArray[np.bool_]) -> Weibull | None:
    """Return the likeliest Weibull distribution of stretches some of which have not ended.

    The shape k solves Σ tᵏ ln t / Σ tᵏ − 1/k = mean of ln t of those that ended, whose left side grows with k; the
    scale is (Σ tᵏ / ends)^(1/k), both sums over all stretches.

    Parameters
    ----------
    lengths : above 0, shape (n,)

    Returns
    -------
    ``None`` below two ends, or where all ended at one length
    """
    from scipy.optimize import brentq

    ends = int(ended.sum())
    if ends < 2:
        return None
    longest = lengths.max()
    scaled = lengths / longest
    logs = np.log(scaled)
    mean_log = float(logs[ended].mean())

    def score(shape: float) -> float:
        powers = scaled**shape
        return float((powers * logs).sum() / powers.sum()) - 1 / shape - mean_log

    if score(_STEEPEST) <= 0:
        return None
    shape = float(brentq(score, _FLATTEST, _STEEPEST, xtol=1e-12))
    return Weibull(shape, float(longest * ((scaled**shape).sum() / ends) ** (1 / shape)))


_FLATTEST, _STEEPEST = 1e-3, 1e3
