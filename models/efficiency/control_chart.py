"""The contract of control charts, and their table."""

from collections.abc import Callable
from typing import Protocol

from models.efficiency.cusum import Cusum
from models.efficiency.ewma import Ewma
from models.efficiency.look import Floats, Look
from models.efficiency.run_rules import Nelson, WesternElectric
from models.efficiency.shewhart import Shewhart


class ControlChart(Protocol):
    """Says which points are out of control; points are in standard deviations from the centre line."""

    @property
    def rules(self) -> tuple[str, ...]:
        """What it looks for, in words."""
        ...

    def look(self, standardised: Floats) -> Look:
        """Return which rules each point completes.

        A point is judged by itself and by those before it, never by later ones.

        Parameters
        ----------
        standardised : (value − centre) / sigma, shape (..., n_points), each row a series of its own

        Raises
        ------
        ValueError
            Where a point is not finite.
        """
        ...


class LimitedChart(ControlChart, Protocol):
    """A chart with one number to compare with one limit, so that the limit can be set to a run length."""

    @property
    def limit(self) -> float:
        """What the statistic must exceed."""
        ...

    def statistic(self, standardised: Floats) -> Floats:
        """Return the number that signals above ``limit``, shape (..., n_points)."""
        ...


CHARTS: dict[str, Callable[[], ControlChart]] = {
    "Shewhart": Shewhart,
    "Nelson": Nelson,
    "Western Electric": WesternElectric,
    "CUSUM": Cusum,
    "EWMA": Ewma,
}
"""Every textbook chart by name, with the limits of the textbook."""
