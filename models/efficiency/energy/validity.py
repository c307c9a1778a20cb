"""Whether a baseline may speak: the gate, and the figures that stand beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_R2 = 0.75
LEAST_POINTS = 10


@dataclass(frozen=True, slots=True)
class Validity:
    """How well a baseline explains the energy of its own period.

    Attributes
    ----------
    points : periods of the baseline period in which meter and drivers were known
    parameters : that least squares fitted; ``None`` where the form has no such number
    r2 : coefficient of determination in the baseline period
    r2_held_out : the same of blocks of days that the form did not learn from; NaN where there are too few
    cv_rmse : root mean square error over the mean power, in the baseline period, with n − parameters below the root
    cv_rmse_held_out : the same of the blocks held out, with n
    autocorrelation : of neighbouring residuals of the blocks held out, −1 to 1
    reason : why it may not speak; empty where it may
    """

    points: int
    parameters: int | None
    r2: float
    r2_held_out: float
    cv_rmse: float
    cv_rmse_held_out: float
    autocorrelation: float
    reason: str

    @property
    def valid(self) -> bool:
        """Whether findings may rest on it."""
        return not self.reason

    def __str__(self) -> str:
        said = (
            f"R² {self.r2:.2f} ({self.r2_held_out:.2f} held out), CV(RMSE) {self.cv_rmse:.1%}"
            f" ({self.cv_rmse_held_out:.1%} held out), autocorrelation {self.autocorrelation:.2f},"
            f" {self.points} points"
        )
        return said + (f"; not valid: {self.reason}" if self.reason else "")


def r_squared(actual: Floats, said: Floats) -> float:
    """Return the share of the variance that is explained; NaN where there is no variance.

    Examples
    --------
    >>> r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.5
    """
    about = float(((actual - actual.mean()) ** 2).sum()) if len(actual) else 0.0
    return 1 - float(((actual - said) ** 2).sum()) / about if about > 0 else np.nan


def cv_rmse(actual: Floats, said: Floats, parameters: int = 0) -> float:
    """Return the root mean square error over the mean; NaN where that has no meaning.

    Examples
    --------
    >>> cv_rmse(np.array([8.0, 12.0]), np.array([9.0, 11.0]))
    0.1
    """
    free = len(actual) - parameters
    if free < 1 or not actual.mean() > 0:
        return np.nan
    return float(np.sqrt(((actual - said) ** 2).sum() / free) / actual.mean())


def neighbours_correlate(residual: Floats) -> float:
    """Return the correlation of each residual with the one before it; NaN where there are too few.

    Examples
    --------
    >>> round(neighbours_correlate(np.array([1.0, -1.0] * 50)), 2)
    -0.99
    """
    whole = residual[~np.isnan(residual)]
    mean = whole.mean() if len(whole) else 0.0
    about = float(((whole - mean) ** 2).sum())
    if len(whole) < 3 or about == 0:
        return np.nan
    product = (residual[1:] - mean) * (residual[:-1] - mean)
    return float(np.nansum(product)) / about


def judged(actual: Floats, said: Floats, held_out: Floats, parameters: int | None) -> Validity:
    """Judge a baseline on its own period.

    Parameters
    ----------
    actual, said, held_out : mean power in kW: measured, as the form says, and as it says of blocks that it did not
        learn from (NaN where none), shape (n,)
    """
    known = ~np.isnan(held_out)
    r2, own = r_squared(actual, said), r_squared(actual[known], held_out[known])
    return Validity(
        points=len(actual),
        parameters=parameters,
        r2=r2,
        r2_held_out=own,
        cv_rmse=cv_rmse(actual, said, parameters or 0),
        cv_rmse_held_out=cv_rmse(actual[known], held_out[known]) if known.any() else np.nan,
        autocorrelation=neighbours_correlate(actual - held_out),
        reason=_reason(len(actual), r2, own),
    )


def _reason(points: int, r2: float, held_out: float) -> str:
    if points < LEAST_POINTS:
        return f"{points} points, {LEAST_POINTS} are needed"
    if np.isnan(r2):
        return "the meter always says the same"
    if r2 < LEAST_R2:
        return f"the drivers explain {r2:.0%} of the variance (R²), {LEAST_R2:.0%} are needed; name more drivers"
    if held_out < LEAST_R2:
        return (
            f"on days held out the drivers explain {held_out:.0%} of the variance (R²), {LEAST_R2:.0%} are needed;"
            " name more drivers or take a longer baseline period"
        )
    return ""
