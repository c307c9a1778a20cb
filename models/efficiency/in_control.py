"""What a phase I teaches, of many phases I at once: those that are played go through the steps of the one there is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.autoregression import Autoregression, fitted
from models.efficiency.look import Floats
from models.efficiency.normal_scores import NormalScores
from models.efficiency.shewhart_cusum import ShewhartCusum

SHIFT = 1.0
"""The step that is to be found soonest, in standard deviations of the values."""
LEAST_REFERENCE, MOST_REFERENCE = 0.1, 1.0
"""A smaller reference is lost in the error of the centre."""


@dataclass(frozen=True, slots=True)
class InControl:
    """Several processes in control, one a row.

    Attributes
    ----------
    model : how values follow each other
    scores : how residuals are distributed
    reference : of the CUSUM of the scores: half of what a step of one sigma adds to each of them; shape (rows, 1)
    """

    model: Autoregression
    scores: NormalScores
    reference: Floats

    @classmethod
    def of(cls, values: Floats, lags: int, bias: Floats) -> "InControl":
        """Learn from phases I without missing values.

        Parameters
        ----------
        values : shape (rows, n)
        lags : the highest order that is tried
        bias : of the coefficients, shape (lags,)
        """
        return cls.of_model(fitted(values, lags).less(bias, values), values)

    @classmethod
    def of_model(cls, model: Autoregression, values: Floats) -> "InControl":
        """Learn the rest where the model is known; one row may have missing values."""
        residuals = model.residuals(values)
        if len(values) == 1:
            residuals = residuals[:, np.isfinite(residuals[0])]
        step = SHIFT * np.nanstd(values, axis=1) * (1 - model.memory) / model.sigma
        reference = np.clip(step / 2, LEAST_REFERENCE, MOST_REFERENCE)
        return cls(model, NormalScores.of(residuals), reference[:, np.newaxis])

    def take(self, rows: NDArray[np.intp]) -> "InControl":
        """Return some rows of it."""
        return InControl(self.model.take(rows), self.scores.take(rows), self.reference[rows])

    def statistic(self, values: Floats) -> Floats:
        """Return what is compared with a limit, of one series for each row."""
        return ShewhartCusum(self.reference).statistic(self.scores.of_residuals(self.model.residuals(values)))
