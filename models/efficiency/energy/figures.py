"""Figures of a meter over a span that need no baseline: idle energy, standby, peak demand, energy per piece."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from features.microsecond import time_of
from models.efficiency.energy.base_load import base_load
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.price import Price


@dataclass(frozen=True, slots=True)
class EnergyFigures:
    """What a meter used over a span; each is ``None`` where it cannot be said.

    Attributes
    ----------
    kwh, money, co2e_kg : all that was used in the time that is known
    known : share of the time in which the meter said something
    idle_kwh, idle_money, idle_share : of it, while nothing was made
    standby_kw : median power while nothing was made
    base_load_kw : median over days of a low quantile of that, see ``base_load``
    peak_kw, peak_at : highest mean power of a period (15 minutes where the meter is read that often), and when
    kwh_a_piece : energy of the periods in which pieces are known over these pieces
    """

    kwh: float
    known: float
    money: float | None
    co2e_kg: float | None
    idle_kwh: float | None
    idle_money: float | None
    idle_share: float | None
    standby_kw: float | None
    base_load_kw: float | None
    peak_kw: float | None
    peak_at: datetime | None
    kwh_a_piece: float | None


def energy_figures(periods: EnergyPeriods, price: Price, demand: EnergyPeriods | None = None) -> EnergyFigures:
    """Return the figures of some periods.

    Parameters
    ----------
    demand : periods of a quarter of an hour, for the peak; the same periods when left out
    """
    kwh, known = periods.kwh, ~np.isnan(periods.power)
    total, time = float(np.nansum(kwh)), float(periods.hours.sum())
    idle = periods.idle & known
    idle_kwh = float(kwh[idle].sum()) if not np.isnan(periods.productive).all() else None
    load = base_load(periods)
    made = known & ~np.isnan(periods.produced)
    pieces = float((periods.produced * periods.hours)[made].sum())
    peaks = periods if demand is None else demand
    highest = int(np.nanargmax(peaks.power)) if np.isfinite(peaks.power).any() else None
    return EnergyFigures(
        kwh=total,
        known=float(periods.hours[known].sum()) / time if time else 0.0,
        money=price.money(total),
        co2e_kg=price.co2e_kg(total),
        idle_kwh=idle_kwh,
        idle_money=None if idle_kwh is None else price.money(idle_kwh),
        idle_share=None if idle_kwh is None or total <= 0 else idle_kwh / total,
        standby_kw=float(np.median(periods.power[idle])) if idle.any() else None,
        base_load_kw=load.usual if len(load.kw) else None,
        peak_kw=None if highest is None else float(peaks.power[highest]),
        peak_at=None if highest is None else time_of(int(peaks.begin[highest])),
        kwh_a_piece=float(kwh[made].sum()) / pieces if pieces > 0 else None,
    )
