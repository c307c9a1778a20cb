"""A made-up year of an energy meter and its drivers: a line in two shifts, weather, noise that resembles itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.efficiency.energy.periods import EnergyPeriods, periods_of

BEGIN = datetime(2025, 1, 5, 23, tzinfo=UTC)
"""Midnight of a Monday in Berlin."""
ZONE = "Europe/Berlin"
BASE, PER_PIECE, PER_DEGREE = 50.0, 0.5, 0.9
"""kW; kWh a piece; kW for each degree below 18 of the heating."""
RATE = 200.0
"""Pieces an hour."""


@dataclass(frozen=True)
class MeterYear:
    """A meter's year.

    Attributes
    ----------
    index : begin of each hour
    power : mean power of each hour in kW, nothing wrong
    pieces, ambient : made in each hour; degrees outside
    """

    index: pd.DatetimeIndex
    power: NDArray[np.float64]
    pieces: NDArray[np.float64]
    ambient: NDArray[np.float64]

    @property
    def idle(self) -> NDArray[np.bool_]:
        """Hours in which nothing was made."""
        return self.pieces == 0

    def periods(self, power: NDArray[np.float64] | None = None) -> EnergyPeriods:
        """Return what a baseline learns from, with another power if one is given."""
        drivers = pd.DataFrame({"pieces": self.pieces, "ambient": self.ambient}, index=self.index)
        own = pd.Series(self.power if power is None else power, index=self.index)
        return periods_of(own, drivers, every=timedelta(hours=1), zone=ZONE, produced="pieces")


def correlated(random: np.random.Generator, count: int, phi: float) -> NDArray[np.float64]:
    """Return a first-order autoregression of variance 1."""
    shocks = random.normal(size=count) * np.sqrt(1 - phi**2)
    found = np.empty(count)
    last = random.normal()
    for place, shock in enumerate(shocks):
        last = phi * last + shock
        found[place] = last
    return found


def meter_year(random: np.random.Generator, *, days: int = 365, phi: float = 0.6, noise: float = 0.05) -> MeterYear:
    """Make a meter's hours.

    Two shifts (6 to 22 h) on weekdays, one on Saturday, none on Sunday; rates vary by day and hour; heat below 18
    degrees; noise of ``noise`` of the power with correlation ``phi`` from hour to hour, and a slower part of a fifth of
    it from day to day, which no driver explains.
    """
    index = pd.date_range(BEGIN, periods=24 * days, freq="1h")
    local = index.tz_convert(ZONE)
    hour, weekday, yearday = (np.asarray(each) for each in (local.hour, local.day_of_week, local.day_of_year))
    until = np.select([weekday < 5, weekday == 5], [22, 14], 0)
    works = (hour >= 6) & (hour < until)
    daily = np.repeat(random.normal(1.0, 0.1, days + 1), 24)[: len(index)]
    pieces = np.where(works, np.round(np.clip(RATE * daily * random.normal(1, 0.1, len(index)), 20, None)), 0.0)
    season = 10 - 10 * np.cos(2 * np.pi * (yearday - 20) / 365)
    weather = 3 * np.repeat(correlated(random, days + 1, 0.8), 24)[: len(index)]
    ambient = season + weather + 4 * np.cos(2 * np.pi * (hour - 15) / 24)
    exact = BASE + PER_PIECE * pieces + PER_DEGREE * np.maximum(18 - ambient, 0.0)
    slow = np.repeat(correlated(random, days + 1, 0.7), 24)[: len(index)]
    stray = correlated(random, len(index), phi) + 0.2 * slow
    return MeterYear(index, exact * (1 + noise * stray), pieces, ambient)


def idle_heating(year: MeterYear, at: int, kw: float = 15.0) -> NDArray[np.float64]:
    """Return the extra power of heating that is left on while nothing is made, from an hour on."""
    return np.where(year.idle & (np.arange(len(year.power)) >= at), kw, 0.0)


def air_leak(year: MeterYear, at: int, share: float = 0.08) -> NDArray[np.float64]:
    """Return the extra power of a leak: a share of the base load at all hours, from an hour on."""
    return np.where(np.arange(len(year.power)) >= at, share * BASE, 0.0)


def heavy_pieces(year: MeterYear, at: int, share: float = 0.1) -> NDArray[np.float64]:
    """Return the extra power of pieces that need more energy, from an hour on."""
    return np.where(np.arange(len(year.power)) >= at, share * PER_PIECE * year.pieces, 0.0)
