"""What an excess looks like: more at all hours, while idle, while running, for each piece, or in proportion.

Each cause has a shape over the periods; the one whose multiple explains the excess best, by likelihood, is named.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.efficiency.energy.baseline import EnergyBaseline
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.steps import kinds_of_time

Floats = NDArray[np.float64]
Cause = Literal["base load", "idle load", "running load", "energy per piece", "in proportion", "excess"]
SURE = 4.0
"""By how much −2 ln of the likelihood of the best shape must beat the next one to be called sure."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape that explains an excess best.

    Attributes
    ----------
    cause : its name; ``excess`` where nothing tells idle from busy time
    amount : kW at the hours that it concerns; kWh a piece; or the share of the expected power
    error : standard error of ``amount``
    sure : whether it is clearly better than all others
    next_best : the shape that comes second; empty where there is none
    kw : its excess of each period in kW, shape (n,)
    """

    cause: Cause
    amount: float
    error: float
    sure: bool
    next_best: str
    kw: Floats


@dataclass(frozen=True, slots=True)
class Spread:
    """How far periods of each kind of time stray in good time, in kW, and how much neighbours resemble each other."""

    kw: dict[str, float]
    phi: float

    @classmethod
    def of(cls, baseline: EnergyBaseline) -> "Spread":
        """Learn it from the residuals of the baseline period."""
        residual, spread = baseline.residual, {}
        for name, own in kinds_of_time(baseline.learnt).items():
            known = residual[own & ~np.isnan(residual)]
            calm = 1.4826 * np.median(np.abs(known - np.median(known))) if len(known) else 0.0
            wild = float(np.sqrt(np.mean(np.clip(known, -5 * calm, 5 * calm) ** 2))) if len(known) else 0.0
            spread[name] = max(wild, 1e-3 * float(np.nanmean(baseline.learnt.power)), 1e-9)
        phi = baseline.validity.autocorrelation
        return cls(spread, float(np.clip(np.nan_to_num(phi), 0.0, 0.9)))


def shape_of(
    periods: EnergyPeriods, excess: Floats, expected: Floats, spread: Spread, *, sign: int = 1
) -> Shape | None:
    """Return the shape that explains an excess best; ``None`` where none of this sign does.

    Parameters
    ----------
    excess : actual − expected in kW, NaN where unknown, shape (n,)
    expected : in kW, shape (n,)
    sign : 1 for more than expected, −1 for less
    """
    kinds = kinds_of_time(periods)
    deviation = np.full(len(periods), np.nan)
    for name, own in kinds.items():
        deviation[own] = spread.kw.get(name, max(spread.kw.values()))
    shapes = _shapes(periods, expected, kinds)
    known = ~np.isnan(excess) & ~np.isnan(deviation) & ~np.isnan(expected)
    before = np.concatenate([[False], known[:-1] & (periods.end[:-1] == periods.begin[1:])])
    left = _whitened(np.where(known, excess, 0.0) / deviation, before, spread.phi)[known]
    found: list[tuple[float, Cause, float, float]] = []
    for name, form in shapes.items():
        own = _whitened(form / deviation, before, spread.phi)[known]
        weight = float(own @ own)
        if weight <= 0:
            continue
        amount = float(own @ left) / weight
        if amount * sign > 0:
            found.append((float(left @ left) - amount**2 * weight, name, amount, weight**-0.5))
    if not found:
        return None
    found.sort()
    rest, cause, amount, error = found[0]
    sure = len(found) == 1 or found[1][0] - rest >= SURE
    return Shape(cause, amount, error, sure, found[1][1] if len(found) > 1 else "", amount * shapes[cause])


def _shapes(periods: EnergyPeriods, expected: Floats, kinds: dict[str, NDArray[np.bool_]]) -> dict[Cause, Floats]:
    level = np.ones(len(periods))
    proportion = np.nan_to_num(expected)
    if set(kinds) == {"all"}:
        return {"excess": level, "in proportion": proportion}
    busy = np.nan_to_num(periods.productive)
    shapes: dict[Cause, Floats] = {"base load": level, "in proportion": proportion}
    if "idle" in kinds:
        shapes["idle load"] = (busy == 0).astype(float)
    if "busy" in kinds:
        shapes["running load"] = busy
    if np.nansum(periods.produced) > 0:
        shapes["energy per piece"] = np.nan_to_num(periods.produced)
    return shapes


def _whitened(values: Floats, before: NDArray[np.bool_], phi: float) -> Floats:
    earlier = np.concatenate([[0.0], values[:-1]])
    return np.where(before, values - phi * np.where(before, earlier, 0.0), values * np.sqrt(1 - phi**2))
