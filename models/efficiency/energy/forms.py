"""Forms that an energy baseline can have: least squares first; a more flexible one only where it foretells better.

``linear`` is what ISO 50006 describes: a sum of drivers, weekdays and hours. ``bent`` is the same with drivers whose
effect bends at two places, as heating does that ends at some temperature. ``curves`` lets hour, weekday, kinds and
drivers change each other's effect, too; a ridge keeps it calm. ``trees`` are few,
small, boosted trees. Which one is used is decided inside the baseline period, see ``chosen_form``.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.efficiency.energy.periods import EnergyPeriods

Floats = NDArray[np.float64]
FOLDS = 4
CLEARLY = 1.64
"""Standard errors, over days, by which a form's squared error on later time must lie below that of a simpler one."""
_MANY = 5
_CALENDAR = ("weekday", "hour")


def design(periods: EnergyPeriods) -> pd.DataFrame:
    """Return what a form learns from: the drivers, weekday (0 is Monday) and hour of the day where they count."""
    table = periods.drivers.copy()
    if periods.calendar:
        local = periods.local
        table["weekday"] = np.asarray(local.day_of_week, float)
        table["hour"] = np.asarray(local.hour, float) + np.asarray(local.minute, float) / 60
    return table


def kept_together(periods: EnergyPeriods) -> NDArray[np.int64]:
    """Return which periods are held out together: those of a local day, or each alone where there are few days."""
    day = periods.day
    return day if len(np.unique(day)) >= 4 * FOLDS else np.arange(len(day))


def _split(table: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """Return columns of numbers, of shares of kinds, and of the calendar that say anything."""
    varied = [name for name in table.columns if table[name].nunique() > 1]
    calendar = [name for name in _CALENDAR if name in varied]
    kinds = [name for name in varied if "=" in name]
    return [name for name in varied if name not in (*calendar, *kinds)], kinds, calendar


def _one_hot() -> Any:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def linear(table: pd.DataFrame) -> Any:
    """Return least squares over drivers, kinds, weekday and hour, added up."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline

    numbers, kinds, calendar = _split(table)
    parts = [("numbers", "passthrough", [*numbers, *kinds]), ("calendar", _one_hot(), calendar)]
    return make_pipeline(ColumnTransformer(parts), LinearRegression())


def bent(table: pd.DataFrame) -> Any:
    """Return least squares over drivers whose effect may bend at a third and two thirds of their values."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers, kinds, calendar = _split(table)
    parts = [
        ("bent", _hinges(), [name for name in numbers if table[name].nunique() >= _MANY]),
        ("straight", "passthrough", [name for name in numbers if table[name].nunique() < _MANY]),
        ("kinds", "passthrough", kinds),
        ("calendar", _one_hot(), calendar),
    ]
    return make_pipeline(ColumnTransformer(parts), StandardScaler(with_std=False), Ridge(1e-3))


def _hinges() -> Any:
    from sklearn.preprocessing import SplineTransformer

    return SplineTransformer(n_knots=4, degree=1, knots="quantile", extrapolation="linear")


def curves(table: pd.DataFrame) -> Any:
    """Return ridge over bent drivers, and products of calendar, kinds and numbers."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    numbers, kinds, calendar = _split(table)
    many = [name for name in numbers if table[name].nunique() >= _MANY]
    hinges = make_pipeline(_hinges(), StandardScaler())
    level = ColumnTransformer(
        [
            ("calendar", _one_hot(), calendar),
            ("numbers", StandardScaler(), numbers),
            ("kinds", "passthrough", kinds),
        ]
    )
    together = make_pipeline(level, PolynomialFeatures(2, interaction_only=True, include_bias=False))
    parts: list[tuple[str, Any]] = [("together", together)]
    if many:
        parts.append(("bent", ColumnTransformer([("bent", hinges, many)])))
    return make_pipeline(FeatureUnion(parts), Ridge(10.0))


def trees(table: pd.DataFrame) -> Any:
    """Return boosted trees, few and small."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    del table
    return HistGradientBoostingRegressor(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, random_state=0
    )


FORMS: dict[str, Callable[[pd.DataFrame], Any]] = {"linear": linear, "bent": bent, "curves": curves, "trees": trees}
"""Forms by name, the simplest first."""
FEWEST = {"linear": 10, "bent": 60, "curves": 200, "trees": 400}
"""Periods that a form needs."""


def later_folds(day: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield what is learnt from and what is foretold: always whole days, always later time."""
    days = np.unique(day)
    edges = np.linspace(0, len(days), FOLDS + 2).astype(int)
    for place in range(1, FOLDS + 1):
        if edges[place] == edges[place + 1] or not edges[place]:
            continue
        until, stop = days[edges[place] - 1], days[edges[place + 1] - 1]
        yield np.flatnonzero(day <= until), np.flatnonzero((day > until) & (day <= stop))


def block_folds(day: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield blocks of whole days, each held out from all others."""
    days = np.unique(day)
    for own in np.array_split(days, min(2 * FOLDS, len(days))):
        inside = (day >= own[0]) & (day <= own[-1])
        yield np.flatnonzero(~inside), np.flatnonzero(inside)


def foretold(form: Any, table: pd.DataFrame, power: Floats, folds: Iterator[tuple[Any, Any]]) -> Floats:
    """Return what a form says of periods that it did not learn from; NaN where none did."""
    from sklearn.base import clone

    said = np.full(len(power), np.nan)
    for learnt, held in folds:
        if len(learnt) >= FEWEST["linear"]:
            said[held] = clone(form).fit(table.iloc[learnt], power[learnt]).predict(table.iloc[held])
    return said


def chosen_form(table: pd.DataFrame, power: Floats, day: NDArray[np.int64]) -> tuple[str, dict[str, float]]:
    """Return the simplest form that no other beats on later time, and the error of each.

    Parameters
    ----------
    table : of ``design``, without NaN
    power : in kW, shape (n,)
    day : of each row; those of one day are held out together

    Returns
    -------
    name of the form, and the root mean square error of each on later time in kW
    """
    errors: dict[str, float] = {}
    best, least = "linear", np.full(len(power), np.inf)
    for name, make in FORMS.items():
        if len(power) < FEWEST[name]:
            continue
        squared = (foretold(make(table), table, power, later_folds(day)) - power) ** 2
        known = ~np.isnan(squared)
        if not known.any():
            continue
        errors[name] = float(np.sqrt(squared[known].mean()))
        if name == "linear" or _clearly_less(squared[known], least[known], day[known]):
            best, least = name, squared
    return best, errors


def _clearly_less(one: Floats, other: Floats, day: NDArray[np.int64]) -> bool:
    """Say whether an error is less than another one by more than chance, whole days being drawn together."""
    _, place = np.unique(day, return_inverse=True)
    by_day = np.bincount(place, other - one)
    if len(by_day) < 2 or not by_day.std() > 0:
        return False
    return bool(by_day.mean() > CLEARLY * by_day.std(ddof=1) / np.sqrt(len(by_day)))
