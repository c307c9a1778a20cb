"""How well a stable process keeps its tolerance, with intervals that know how closely values follow each other.

Cp and Cpk take the standard deviation within, from the moving range; Pp and Ppk the overall one. Of autocorrelated
values the one within is what neighbours differ by and far too small for the whole: read Ppk there, and say so.

Sources: ISO 22514-2:2017; Bissell, How reliable is your capability index?, Applied Statistics 39 (1990); for the
effective numbers of values Bayley and Hammersley, Supplement to the Journal of the Royal Statistical Society 8 (1946),
applied to the mean (Σ ρ), the variance (Σ ρ²) and the moving range.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtri, ndtri

from models.efficiency.autoregression import Autoregression, autocorrelation, forgotten
from models.efficiency.look import Floats
from models.efficiency.phase_one import PhaseOne
from models.judging.interval import CONFIDENCE, Interval, wilson

MOVING_RANGE = 2 / np.sqrt(np.pi)
"""Mean distance of two independent normal values, in standard deviations: d2 of two."""
NOT_NORMAL = 9.21
"""Chi-square of two degrees that chance exceeds once in a hundred."""
NOTABLE = 0.2
"""Lag-one correlation from which the standard deviation within is too small to be read alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a tolerance in the signal's unit; one of them may be ``None``.

    Raises
    ------
    ValueError
        Where both are missing, or the lower is not below the upper.
    """

    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits between which nothing can lie."""
        if self.lower is None and self.upper is None:
            raise ValueError("a tolerance has a lower limit, an upper one, or both")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"the lower limit {self.lower:g} must lie below the upper limit {self.upper:g}")


@dataclass(frozen=True, slots=True)
class Capability:
    """Capability indices with 95 % intervals; ``None`` with the reason in ``why`` where there is none.

    Attributes
    ----------
    cp, cpk : by the standard deviation within
    pp, ppk : by the overall one
    beyond : share of values beyond a limit, as counted; the interval rests on the effective number of values
    mean, sigma_within, sigma_overall : in the signal's unit
    effective_points : independent values that tell the mean as surely
    normal : whether the values may be normal, at one in a hundred
    why : which index is missing and why, and what to know of those that are not
    """

    cp: Interval | None
    cpk: Interval | None
    pp: Interval | None
    ppk: Interval | None
    beyond: Interval | None
    mean: float
    sigma_within: float
    sigma_overall: float
    effective_points: float
    normal: bool
    why: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many independent values tell mean, overall variance and moving range as surely as these do."""

    of_mean: float
    freedom_overall: float
    freedom_within: float


def capability(phase: PhaseOne, limits: Limits) -> Capability:
    """Return how well a stable process keeps its limits.

    Parameters
    ----------
    phase : the process as it was judged; its outliers are left out of the indices and counted in none
    limits : of the tolerance, two-sided or one-sided
    """
    values = phase.values[np.isfinite(phase.values)]
    sizes = effective_sizes(phase.model, len(values))
    mean = float(values.mean())
    overall = float(np.sqrt(values.var() / max(1 - 1 / sizes.of_mean, 0.1)))
    moves = np.abs(np.diff(phase.values))
    within = float(np.nanmean(moves) / MOVING_RANGE)
    statistic = departure_from_normal(values, phase.model)
    why = {}
    if statistic > NOT_NORMAL:
        why["normal"] = f"the values are not normal (chi-square {statistic:.0f}): the indices misstate the share beyond"
    if not phase.stable:
        reason = f"the process is not stable: {'; '.join(phase.why)}"
        why.update(dict.fromkeys(("cp", "cpk", "pp", "ppk", "beyond"), reason))
        return Capability(
            None, None, None, None, None, mean, within, overall, sizes.of_mean, statistic <= NOT_NORMAL, why
        )
    if abs(rho := float(autocorrelation(phase.model.coefficients[0], 1)[0])) > NOTABLE:
        why["cpk"] = f"neighbours correlate by {rho:.2f}, so sigma within tells only their differences: read Ppk"
    if limits.lower is None or limits.upper is None:
        why["cp"] = why["pp"] = "one limit only: a width is not given"
    return Capability(
        cp=_width(limits, within, sizes.freedom_within),
        cpk=_nearest(limits, mean, within, sizes.of_mean * (overall / within) ** -2, sizes.freedom_within),
        pp=_width(limits, overall, sizes.freedom_overall),
        ppk=_nearest(limits, mean, overall, sizes.of_mean, sizes.freedom_overall),
        beyond=share_beyond(values, limits, sizes.of_mean),
        mean=mean,
        sigma_within=within,
        sigma_overall=overall,
        effective_points=sizes.of_mean,
        normal=statistic <= NOT_NORMAL,
        why=why,
    )


def effective_sizes(model: Autoregression, points: int) -> Sizes:
    """Return what so many values of a process are worth.

    Of independent values: n, n − 1, and 0.605 (n − 1) for the moving range.
    """
    phi = model.coefficients[0]
    rho = autocorrelation(phi, min(3 * forgotten(phi), points) + 1)
    of_mean = points / max(1 + 2 * rho.sum(), 1 / points)
    of_variance = points / (1 + 2 * np.square(rho).sum())
    whole = np.concatenate([[rho[0], 1.0], rho])
    of_moves = (2 * whole[2:-1] - whole[1:-2] - whole[3:]) / (2 * (1 - rho[0]))
    shared = 1 + 2 * _of_sizes(of_moves).sum()
    freedom_within = (points - 1) / ((np.pi - 2) * shared)
    return Sizes(float(min(of_mean, points)), float(max(of_variance - 1, 1.0)), float(max(freedom_within, 1.0)))


def departure_from_normal(values: Floats, model: Autoregression) -> float:
    """Return how far skewness and kurtosis are from normal, about chi-square of two degrees of freedom.

    Source: Lobato and Velasco, A simple test of normality for time series, Econometric Theory 20 (2004).
    """
    phi = model.coefficients[0]
    rho = autocorrelation(phi, min(3 * forgotten(phi), len(values)))
    second, third, fourth = (float(np.mean((values - values.mean()) ** power)) for power in (2, 3, 4))
    skew = third**2 / (6 * second**3 * (1 + 2 * (rho**3).sum()))
    tails = (fourth - 3 * second**2) ** 2 / (24 * second**4 * (1 + 2 * (rho**4).sum()))
    return float(len(values) * (skew + tails))


def share_beyond(values: Floats, limits: Limits, effective: float) -> Interval:
    """Return the share of values beyond a limit with its Wilson interval, at the effective number of values."""
    low = -np.inf if limits.lower is None else limits.lower
    high = np.inf if limits.upper is None else limits.upper
    points = max(effective, 1.0)
    return wilson(float(np.mean((values < low) | (values > high))) * points, points)


def _width(limits: Limits, sigma: float, freedom: float) -> Interval | None:
    """Return (upper − lower) / 6σ; its interval is that of the standard deviation."""
    if limits.lower is None or limits.upper is None:
        return None
    value = (limits.upper - limits.lower) / (6 * sigma)
    tail = (1 - CONFIDENCE) / 2
    low, high = (np.sqrt(chdtri(freedom, share) / freedom) for share in (1 - tail, tail))
    return Interval(value, float(value * low), float(value * high))


def _nearest(limits: Limits, mean: float, sigma: float, of_mean: float, freedom: float) -> Interval:
    """Return the distance of the mean from the nearer limit over 3σ, with Bissell's interval."""
    distances = [mean - limits.lower] if limits.lower is not None else []
    distances += [limits.upper - mean] if limits.upper is not None else []
    value = min(distances) / (3 * sigma)
    half = float(ndtri(0.5 + CONFIDENCE / 2)) * np.sqrt(1 / (9 * of_mean) + value**2 / (2 * freedom))
    return Interval(value, float(value - half), float(value + half))


def _of_sizes(correlation: Floats) -> Floats:
    """Return how the sizes of two normal numbers correlate that correlate so themselves."""
    bounded = np.clip(correlation, -1.0, 1.0)
    return (bounded * np.arcsin(bounded) + np.sqrt(1 - bounded**2) - 1) / (np.pi / 2 - 1)
