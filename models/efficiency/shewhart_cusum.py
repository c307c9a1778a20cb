"""Shewhart and CUSUM as one chart with one limit: jumps at once, small shifts in time."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.efficiency import cusum, shewhart
from models.efficiency.cusum import cumulative_sum
from models.efficiency.look import Floats, Look, checked


@dataclass(frozen=True, slots=True)
class ShewhartCusum:
    """Both charts at limits with the same nominal run length.

    A shift of an autocorrelated process is a jump in the first residual and little in those after it; the
    one chart sees the jump, the other what lasts.

    Source: Lucas, Combined Shewhart-CUSUM quality control schemes, Journal of Quality Technology 14 (1982).

    Attributes
    ----------
    reference : k of the CUSUM; an array of shape (rows, 1) gives each row its own
    limit : logarithm of the nominal run length of each of both charts; together they signal about twice as often
    """

    reference: float | Floats = 0.5
    limit: float = 6.6
    rules: ClassVar[tuple[str, ...]] = ("jump", "shift")

    def statistic(self, standardised: Floats) -> Floats:
        """Return the logarithm of the nominal run length of the charts whose limit the point just reaches."""
        sums = np.maximum(cumulative_sum(standardised, self.reference), cumulative_sum(-standardised, self.reference))
        # Below this no limit is set, and the approximation has no logarithm.
        known = np.maximum(sums, 0.05)
        return np.maximum(shewhart.log_run_length(np.abs(standardised)), cusum.log_run_length(known, self.reference))

    def look(self, standardised: Floats) -> Look:
        """Return which points jump, and where a cumulative sum is above its limit."""
        z = checked(standardised)
        above, below = (
            [
                (far > 0) & (shewhart.log_run_length(np.abs(far)) > self.limit),
                cusum.log_run_length(np.maximum(cumulative_sum(far, self.reference), 0.05), self.reference)
                > self.limit,
            ]
            for far in (z, -z)
        )
        return Look.of_sides(above, below)

    @property
    def jump_limit(self) -> float:
        """How far from 0 one point must lie, in standard deviations."""
        return shewhart.limit_at(float(np.exp(self.limit)))

    @property
    def shift_limit(self) -> float:
        """How far a cumulative sum must reach: h, of one row only."""
        return cusum.limit_at(float(np.exp(self.limit)), float(self.reference))
