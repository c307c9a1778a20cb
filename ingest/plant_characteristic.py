"""Characteristics: signals whose level a control chart watches, and the tolerance that they are to keep."""

from datetime import timedelta

from pydantic import Field

from ingest.duration import Duration
from ingest.part import Moment, Name, Part

YEAR = timedelta(days=365.25)
RUN_LENGTHS = (20.0, 5000.0)
"""Points to a false signal that a chart can be asked for."""


class Characteristic(Part):
    """A signal that a control chart watches on each machine of the class; see [control charts](control_charts.md)."""

    signal: Name = Field(description="The signal.")
    every: Duration = Field(
        timedelta(hours=1), description="A point of the chart is the mean of so long, while the machine ran."
    )
    phase_one: int = Field(
        500,
        ge=50,
        le=5_000,
        description="Points that normal is learnt from, the first ones; fewer make no chart.",
    )
    since: Moment | None = Field(
        None, description="Where they begin, such as after an overhaul; at the first reading when left out."
    )
    false_signals_per_year: float = Field(
        2.0,
        ge=0.01,
        le=1_000_000,
        allow_inf_nan=False,
        description="How often the chart of one machine may signal for nothing, if it always runs.",
    )
    lower: float | None = Field(None, allow_inf_nan=False, description="Lower limit of the tolerance, for capability.")
    upper: float | None = Field(None, allow_inf_nan=False, description="Upper limit of the tolerance.")

    @property
    def run_length(self) -> float:
        """Points to a false signal, on average, of a machine that always runs.

        Examples
        --------
        >>> Characteristic(signal="temperature").run_length
        4383.0
        """
        return YEAR / self.every / self.false_signals_per_year
