"""Find losses and doubts of one meter in the periods after its baseline period."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.microsecond import time_of
from models.efficiency.energy.baseline import EnergyBaseline
from models.efficiency.energy.cause import Shape, Spread, shape_of
from models.efficiency.energy.change import Noise, changes, limit_for
from models.efficiency.energy.loss import EnergyLoss, MeterDoubt
from models.efficiency.energy.meter_fault import MeterFault, is_scaled, reset_faults, stuck_faults, without
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.price import Price
from models.efficiency.energy.steps import kinds_of_time, steps_of

Floats = NDArray[np.float64]
YEARS_TO_A_FALSE_ALARM = 1.0
"""Of one meter, as its CUSUMs are set: what was measured stands in docs/energy.md."""
LEAST_SHARE = 0.02
"""Of the mean expected power: a smaller excess is nobody's time worth."""
_FEWEST_STEPS = 15
_DAY = 86_400_000_000
_NEAR = 2 * _DAY


@dataclass(frozen=True, slots=True)
class _Departure:
    """A span in which a kind of time used more (sign 1) or less (−1) than expected; times in microseconds.

    One is fresh when it follows another one of its kind of time, from which it differs by half or more.
    """

    sign: int
    since: int
    earliest: int
    latest: int
    seen: int
    until: int | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found in some periods.

    Attributes
    ----------
    losses : of energy, oldest first
    doubts : times in which the meter cannot be believed
    expected : power of each period in kW, NaN where the baseline does not know, shape (n,)
    """

    losses: tuple[EnergyLoss, ...]
    doubts: tuple[MeterDoubt, ...]
    expected: Floats


def watch(
    baseline: EnergyBaseline,
    periods: EnergyPeriods,
    price: Price,
    *,
    machine: str = "",
    meter: str = "energy",
    signal: str = "energy",
    years: float = YEARS_TO_A_FALSE_ALARM,
) -> Watched:
    """Find what a meter lost, and when it cannot be believed; nothing where the baseline is not valid.

    What comes after a moment changes neither whether something was seen at it nor since when it is.

    Parameters
    ----------
    periods : after the baseline period, to the newest one
    years : to a false alarm, as the CUSUMs are set
    """
    expected = baseline.expected(periods)
    if not baseline.validity.valid or not len(periods):
        return Watched((), (), expected)
    faults = [*reset_faults(periods), *stuck_faults(baseline, periods, expected)]
    # A reset leaves its own period unknown and harms no other.
    clean = without(periods, [each for each in faults if each.kind != "reset"])
    excess = np.where(clean, periods.power - expected, np.nan)
    spread = Spread.of(baseline)
    losses: list[EnergyLoss] = []
    for departure in _departures(baseline, periods, excess, years):
        own = (periods.begin >= departure.since) & (periods.begin < (departure.until or np.iinfo(np.int64).max))
        part = periods.where(own)
        shape = shape_of(part, excess[own], expected[own], spread, sign=departure.sign)
        if shape is None:
            continue
        if shape.cause == "in proportion" and is_scaled(shape.amount):
            end = departure.until or int(periods.end[-1])
            faults.append(
                MeterFault("scaled", departure.since, end, departure.seen, departure.until is None, 1 + shape.amount)
            )
        elif departure.sign > 0:
            loss = _loss(departure, part, excess[own], expected[own], shape, price, (machine, meter, signal))
            if (loss.actual_kw - loss.expected_kw) > LEAST_SHARE * float(np.nanmean(baseline.learnt.power)):
                losses.append(loss)
    doubts = [_doubt(each, periods, expected, (machine, meter, signal)) for each in faults]
    return Watched(
        tuple(sorted(losses, key=lambda each: each.since)), tuple(sorted(doubts, key=lambda each: each.since)), expected
    )


def _departures(baseline: EnergyBaseline, periods: EnergyPeriods, excess: Floats, years: float) -> list[_Departure]:
    """Return departures of idle and busy time; those of one sign that overlap are one, until a fresh one begins."""
    found: list[_Departure] = []
    good, kinds = kinds_of_time(baseline.learnt), kinds_of_time(periods)
    for name, counts in good.items():
        if name in kinds:
            found += _of_kind(baseline, periods, excess, (counts, kinds[name]), years * len(good))
    found.sort(key=lambda each: (each.sign, each.since))
    joined: list[_Departure] = []
    for each in found:
        last = joined[-1] if joined else None
        overlap = last is not None and last.sign == each.sign and (last.until is None or each.since < last.until)
        if last is None or not overlap:
            joined.append(each)
        elif each.fresh and each.since - last.since > _NEAR:
            joined[-1:] = [replace(last, until=each.since), each]
        else:
            open_end = last.until is None or each.until is None
            until = None if open_end else max(last.until or 0, each.until or 0)
            joined[-1] = replace(min(last, each, key=lambda own: own.seen), until=until)
    return joined


def _of_kind(
    baseline: EnergyBaseline,
    periods: EnergyPeriods,
    excess: Floats,
    counts: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    years: float,
) -> Iterator[_Departure]:
    before, after = counts
    good = steps_of(baseline.learnt, baseline.residual, before)
    steps = steps_of(periods, excess, after)
    if len(good.excess) < _FEWEST_STEPS or not len(steps.excess):
        return
    noise = Noise.of(good.excess)
    if noise.sigma == 0:
        return
    span = (int(baseline.learnt.end[-1]) - int(baseline.learnt.begin[0])) / _DAY
    limit = limit_for(years * 365.25 * len(good.excess) / span)
    running: _Departure | None = None
    for each in changes(steps.excess, noise, limit):
        at, earliest, latest = (int(steps.begin[place]) for place in (each.at, each.earliest, each.latest))
        sign = 0 if each.back else int(np.sign(each.after))
        fresh = running is not None and sign == running.sign and abs(each.after - each.before) > abs(each.before) / 2
        if running is not None and (fresh or sign != running.sign):
            yield replace(running, until=at)
            running = None
        if running is None and sign:
            running = _Departure(sign, at, earliest, latest, int(steps.end[each.alarm]), None, fresh)
    if running is not None:
        yield running


def _loss(
    departure: _Departure,
    periods: EnergyPeriods,
    excess: Floats,
    expected: Floats,
    shape: Shape,
    price: Price,
    names: tuple[str, str, str],
) -> EnergyLoss:
    """Price a departure by its shape, which strays less than the sum of all excess does."""
    concerned = (shape.kw > 0) & ~np.isnan(excess)
    usual = float(np.average(expected[concerned], weights=periods.hours[concerned]))
    more = float(np.average(shape.kw[concerned], weights=periods.hours[concerned]))
    kwh = float((shape.kw * periods.hours).sum())
    hours = float(periods.end[-1] - periods.begin[0]) / 3.6e9
    money = price.money(kwh)
    machine, meter, signal = names
    return EnergyLoss(
        machine=machine,
        meter=meter,
        signal=signal,
        cause=shape.cause,
        sure=shape.sure,
        since=time_of(departure.since),
        earliest=time_of(departure.earliest),
        latest=time_of(departure.latest),
        seen=time_of(departure.seen),
        until=None if departure.until is None else time_of(departure.until),
        hours=hours,
        kwh=kwh,
        kwh_error=kwh * shape.error / shape.amount,
        actual_kw=usual + more,
        expected_kw=usual,
        money=money,
        money_per_hour=None if money is None else money / hours,
        co2e_kg=price.co2e_kg(kwh),
        currency=price.currency,
    )


def _doubt(fault: MeterFault, periods: EnergyPeriods, expected: Floats, names: tuple[str, str, str]) -> MeterDoubt:
    own = (periods.begin >= fault.begin) & (periods.end <= fault.end)
    machine, meter, signal = names
    return MeterDoubt(
        machine=machine,
        meter=meter,
        signal=signal,
        kind=fault.kind,
        since=time_of(fault.begin if fault.kind != "reset" else fault.end),
        seen=time_of(fault.seen),
        until=None if fault.lasts else time_of(fault.end),
        actual_kw=_mean(periods.power[own]),
        expected_kw=_mean(expected[own]),
        factor=fault.factor,
    )


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
