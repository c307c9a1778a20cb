"""◆ The energy baseline: what a meter reads at given drivers while all is as it was in the baseline period."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ingest.errors import NotEnoughDataError
from models.efficiency.energy.band import Band
from models.efficiency.energy.forms import FORMS, block_folds, chosen_form, design, foretold, kept_together, later_folds
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.steps import kinds_of_time
from models.efficiency.energy.validity import LEAST_POINTS, Validity, judged

Floats = NDArray[np.float64]
_MOST, _BEYOND = 0.995, 0.05
"""A baseline speaks within the middle 99 % of each driver's values in its period, and a twentieth of that beyond."""
_NEW_KIND = 0.05


@dataclass(frozen=True)
class EnergyBaseline:
    """Expected power by drivers, learnt from a baseline period.

    Attributes
    ----------
    form : see ``models.efficiency.energy.forms``
    errors : of each form on later time of the baseline period, RMSE in kW; what the choice rests on
    regression : the fitted form
    columns : of the drivers, in their order
    low, high : between which the middle 99 % of each driver's values lay
    validity : whether findings may rest on it
    bands : how far the meter strays in each kind of time, see ``kinds_of_time``
    learnt : periods that it learnt from
    residual : of those, actual − expected in kW, of blocks of days that were held out; NaN where none
    """

    form: str
    errors: dict[str, float]
    regression: Any
    columns: tuple[str, ...]
    low: Floats
    high: Floats
    validity: Validity
    bands: dict[str, Band]
    learnt: EnergyPeriods
    residual: Floats

    def expected(self, periods: EnergyPeriods) -> Floats:
        """Return the expected power of each period in kW, shape (n,).

        NaN where a driver is unknown, far out of the range of the baseline period, or of a kind that never was in it:
        no regression knows what is used there.
        """
        drivers = periods.drivers.reindex(columns=list(self.columns))
        kinds = [name for name in self.columns if "=" in name]
        drivers[kinds] = drivers[kinds].fillna(0.0)
        values = drivers.to_numpy(float)
        room = _BEYOND * (self.high - self.low)
        inside = np.asarray(((values >= self.low - room) & (values <= self.high + room)).all(axis=1))
        new = [name for name in periods.drivers.columns if "=" in name and name not in self.columns]
        inside &= ~np.asarray((periods.drivers[new].to_numpy(float) > _NEW_KIND).any(axis=1))
        said = np.full(len(periods), np.nan)
        if inside.any():
            known = periods.where(inside)
            table = design(_with(known, drivers.iloc[np.flatnonzero(inside)].reset_index(drop=True)))
            with threadpool_limits(1):
                said[inside] = np.maximum(self.regression.predict(table), 0.0)
        return said

    def expected_band(self, periods: EnergyPeriods) -> tuple[Floats, Floats, Floats]:
        """Return the expected power and the bounds of a band that holds 90 % of good time, in kW."""
        said = self.expected(periods)
        # Where nobody knows whether it is idle or busy, the widest band holds.
        every = np.array([band.around(said) for band in self.bands.values()])
        low, high = every[:, 0].min(axis=0), every[:, 1].max(axis=0)
        for name, own in kinds_of_time(periods).items():
            if name in self.bands:
                low[own], high[own] = (bound[own] for bound in self.bands[name].around(said))
        return said, low, high


def _with(periods: EnergyPeriods, drivers: pd.DataFrame) -> EnergyPeriods:
    return EnergyPeriods(
        periods.begin, periods.hours, periods.power, drivers, periods.produced, periods.productive, periods.zone,
        periods.calendar, periods.resets,
    )  # fmt: skip


def fit_energy_baseline(periods: EnergyPeriods, *, form: str = "") -> EnergyBaseline:
    """Learn a baseline from the periods of its baseline period; those that are not wholly known are left out.

    Parameters
    ----------
    form : one of ``FORMS``; chosen inside the baseline period when left out

    Raises
    ------
    NotEnoughDataError
        When fewer than ten periods are known: there is nothing to judge.
    """
    known = ~np.isnan(periods.power) & ~periods.drivers.isna().any(axis=1).to_numpy()
    learnt = periods.where(known)
    if len(learnt) < LEAST_POINTS:
        raise NotEnoughDataError(
            f"meter and drivers are known in {len(learnt)} of {len(periods)} periods of the baseline period;"
            f" {LEAST_POINTS} are needed"
        )
    table, power, day = design(learnt), learnt.power, kept_together(learnt)
    # One thread: boosted trees of a few thousand rows take hundreds of times as long where several fight for a core.
    with threadpool_limits(1):
        name, errors = (form, {}) if form else chosen_form(table, power, day)
        regression = FORMS[name](table).fit(table, power)
        held_out = foretold(FORMS[name](table), table, power, block_folds(day))
        later = foretold(FORMS[name](table), table, power, later_folds(day))
    parameters = int(regression[-1].rank_) + 1 if name == "linear" else None
    residual = power - held_out
    values = learnt.drivers.to_numpy(float)
    return EnergyBaseline(
        form=name,
        errors=errors,
        regression=regression,
        columns=tuple(learnt.drivers.columns),
        low=np.quantile(values, 1 - _MOST, axis=0),
        high=np.quantile(values, _MOST, axis=0),
        validity=judged(power, regression.predict(table), held_out, parameters),
        bands={
            name: Band.of(np.append(held_out[own], later[own]), np.append(residual[own], (power - later)[own]))
            for name, own in kinds_of_time(learnt).items()
        },
        learnt=learnt,
        residual=residual,
    )
