"""Phase I: whether the process was stable while its normal was learnt, and what had to be left out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.efficiency.autoregression import Autoregression, fitted, largest_root, overall_sigma, stationary
from models.efficiency.level_departure import exceeded, largest_departure
from models.efficiency.look import Flags, Floats

FEWEST = 50
"""Points below which no chart is started."""
MOST_LAGS = 10
SURE_OF_LEVEL = 8.0
"""Independent values that a phase I must be worth for its level to be known."""
FEWEST_DISTINCT = 20
MOST_ROUNDS = 30
CRITICAL_SPREAD = 1.628
"""A Brownian bridge goes further than this in one of a hundred cases (Kolmogorov's distribution)."""

Kind = Literal["outlier", "level"]
Verdict = Literal["stable", "stable without outliers", "unstable"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Points of phase I that its normal is not learnt from.

    Attributes
    ----------
    begin, end : first point and the one after the last, by place
    reason : in words, with the number that decided
    """

    begin: int
    end: int
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class PhaseOne:
    """What was learnt of phase I, and whether to believe it.

    Attributes
    ----------
    values : shape (n,), NaN where missing or left out
    lags : the highest order that was tried
    model : of one row; not yet corrected for its bias
    verdict : "unstable" where levels or the spread changed, or the level cannot be known
    why : what makes it unstable; empty where it is stable
    cautions : what a reader has to know although it is stable
    """

    values: Floats
    lags: int
    model: Autoregression
    verdict: Verdict
    left_out: tuple[LeftOut, ...]
    why: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def stable(self) -> bool:
        """Whether its normal can be charted against."""
        return self.verdict != "unstable"


def lags_for(points: int) -> int:
    """Return the highest order that is tried for so many points.

    Examples
    --------
    >>> lags_for(60), lags_for(1000)
    (3, 10)
    """
    return min(MOST_LAGS, points // 20)


def learnt(values: Floats, random: np.random.Generator) -> PhaseOne:
    """Learn the normal of a process, in rounds: what fits least is left out and the rest learnt anew.

    Outliers are residuals that a tail drawn through the bulk of them lets expect once in a hundred phases; levels
    are stretches that depart as fewer than one in a hundred stable processes of the same autocorrelation do.

    Parameters
    ----------
    values : shape (n,), in order, NaN where missing

    Raises
    ------
    ValueError
        With fewer than 50 values, with values that do not vary, or where too few have all values before them.
    """
    kept = np.array(values, dtype=np.float64)
    known = int(np.isfinite(kept).sum())
    if known < FEWEST:
        raise ValueError(f"phase I holds {known} values; a chart is learnt from {FEWEST} at least, better from 500")
    lags = lags_for(known)
    left_out: list[LeftOut] = []
    for _ in range(MOST_ROUNDS):
        model = fitted(kept[np.newaxis], lags)
        fresh = _outliers(kept, model, lags) or _level(kept, lags, random)
        without = kept.copy()
        for each in fresh:
            without[each.begin : each.end] = np.nan
        if not fresh or np.isfinite(without).sum() < max(known / 2, FEWEST / 2):
            break
        left_out += fresh
        kept = without
    left_out.sort(key=lambda each: each.begin)
    why = _reasons(kept, model, left_out)
    verdict: Verdict = "unstable" if why else "stable without outliers" if left_out else "stable"
    return PhaseOne(kept, lags, stationary(model), verdict, tuple(left_out), why, _cautions(kept, model))


def independent_values(model: Autoregression, points: int) -> float:
    """Return how many independent values tell the level as surely as these points: n (1 − Σφ)² / (1 − R²).

    For lag-one correlation φ it is n (1 − φ) / (1 + φ).
    """
    long_run = model.sigma[0] / (1 - model.memory[0])
    return float(points * (overall_sigma(model) / long_run) ** 2)


def _outliers(kept: Floats, model: Autoregression, lags: int) -> list[LeftOut]:
    """Return values too far from what those before them let expect; of close ones only the furthest."""
    residuals = np.full(len(kept), np.nan)
    residuals[lags:] = model.residuals(kept[np.newaxis])[0]
    distance = np.abs(residuals - np.nanmedian(residuals))
    found: list[int] = []
    for place in np.flatnonzero(far(distance))[np.argsort(-distance[far(distance)], kind="stable")]:
        if all(abs(int(place) - other) > max(lags, 1) for other in found):
            found.append(int(place))
    sigma = float(np.nanquantile(distance, 0.6827))
    return [
        LeftOut(
            place,
            place + 1,
            "outlier",
            f"{kept[place]:.4g} lies {distance[place] / sigma:.1f} sigma from what the values before it let expect",
        )
        for place in found
    ]


def far(distance: Floats) -> Flags:
    """Return which distances a tail through the upper quartile and the 97.5 % quantile lets expect hardly ever.

    "Hardly ever" is 0.01 in all of them together if the tail were exponential, which is heavier than normal. Up to
    one in forty may be gross without any effect on it. NaN is never far.
    """
    points = int(np.isfinite(distance).sum())
    quartile, high = np.nanquantile(distance, [0.75, 0.975])
    return distance > quartile + (high - quartile) * np.log(0.25 * points / 0.01) / np.log(10.0)


def _level(kept: Floats, lags: int, random: np.random.Generator) -> list[LeftOut]:
    """Return the stretch whose level departs, if one does."""
    found = largest_departure(kept[np.newaxis], lags)
    begin, end = int(found.begin[0]), int(found.end[0])
    # What touches the first point that can be predicted began before it.
    begin = 0 if begin <= lags else begin
    without = kept.copy()
    without[begin:end] = np.nan
    if np.isfinite(without).sum() < FEWEST / 2:
        return []
    try:
        model = stationary(fitted(without[np.newaxis], lags))
    except ValueError:
        return []
    if not exceeded(float(found.statistic[0]), model, without, lags, random):
        return []
    away = float(np.nanmean(kept[begin:end]) - np.nanmean(without))
    return [
        LeftOut(begin, end, "level", f"their level lies {abs(away):.4g} {'above' if away > 0 else 'below'} the rest")
    ]


def _reasons(kept: Floats, model: Autoregression, left_out: list[LeftOut]) -> tuple[str, ...]:
    """Return what makes a phase I unstable."""
    why = []
    levels = [each for each in left_out if each.kind == "level"]
    if levels:
        points = sum(each.end - each.begin for each in levels)
        why.append(f"the level changed: {points} of {len(kept)} points lie apart from the rest")
    outliers = len(left_out) - len(levels)
    if outliers > 0.02 * len(kept):
        why.append(f"{outliers} of {len(kept)} points are outliers, more than one in fifty")
    residuals = model.residuals(kept[np.newaxis])[0]
    if (change := spread_change(residuals[np.isfinite(residuals)])) > CRITICAL_SPREAD:
        why.append(f"the spread changed (cusum of squares {change:.2f}, stable up to {CRITICAL_SPREAD})")
    worth = independent_values(stationary(model), len(kept))
    if worth < SURE_OF_LEVEL:
        why.append(f"the values follow each other so closely that {len(kept)} tell the level like {worth:.1f} would")
    return tuple(why)


def spread_change(residuals: Floats) -> float:
    """Return how far the running sum of squares strays from an even one, corrected for the weight of the tails.

    Source: Inclán and Tiao, Journal of the American Statistical Association 89 (1994); the correction is that of
    Sansó, Aragó and Carrion, Revista de Economía Financiera 4 (2004).
    """
    squares = np.square(residuals - residuals.mean())
    straying = np.cumsum(squares - squares.mean())
    return float(np.abs(straying).max() / np.sqrt(len(squares) * max(squares.var(), np.finfo(float).tiny)))


def _cautions(kept: Floats, model: Autoregression) -> tuple[str, ...]:
    """Return what a reader has to know of a phase I that is stable."""
    said = []
    finite = kept[np.isfinite(kept)]
    if len(finite) < 200:
        said.append(
            f"{len(finite)} values are a short phase I: single charts run far longer or shorter than on average"
        )
    if len(np.unique(finite)) < FEWEST_DISTINCT:
        said.append(f"only {len(np.unique(finite))} distinct values: the sensor is coarse, and run lengths are rough")
    if largest_root(model.coefficients)[0] > 0.98:
        said.append("the process wanders: its level returns slowly or not at all")
    return tuple(said)
