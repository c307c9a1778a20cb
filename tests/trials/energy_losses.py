"""What is found of planted losses of energy: ``python -m tests.trials.energy_losses [--meters N]``.

Each meter has a year of hours with production, weather, weekends and noise of 5 % that resembles itself (phi 0.6 from
hour to hour, and a part that lasts for days). A baseline is learnt from its first 180 days. At a random hour of a later
day one thing begins: heating that is left on while nothing is made, a leak of 8 % of the base load, pieces that need a
tenth more, a meter that sticks, counts nothing, is reset or reads 1.6 times too much. The watch looks at the end of
each shift (6, 14, 22 h) and knows nothing of later ones. Told are the shares found with the right cause, how many
shifts that took, and money beside the truth; and on clean meters every finding is counted.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR, moment
from models.efficiency.energy.baseline import EnergyBaseline, fit_energy_baseline
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.price import Price
from models.efficiency.energy.watch import Watched, watch
from models.judging.interval import poisson_rate, wilson
from tests.models.meter_years import MeterYear, air_leak, heavy_pieces, idle_heating, meter_year

BASELINE_HOURS = 180 * 24
SHIFT_HOURS = 8
LOOKS = 42
"""Shifts after which nobody waits any longer: a fortnight."""
PRICE = Price(0.2, 0.4)
Planted = tuple[NDArray[np.float64], NDArray[np.float64] | None]


def _extra(make: Callable[[MeterYear, int], NDArray[np.float64]]) -> Callable[[MeterYear, int], Planted]:
    def planted(year: MeterYear, at: int) -> Planted:
        extra = make(year, at)
        return year.power + extra, extra

    return planted


def _faulty(change: Callable[[NDArray[np.float64], int], None]) -> Callable[[MeterYear, int], Planted]:
    def planted(year: MeterYear, at: int) -> Planted:
        power = year.power.copy()
        change(power, at)
        return power, None

    return planted


def _stick(power: NDArray[np.float64], at: int) -> None:
    power[at:] = power[at]


def _silence(power: NDArray[np.float64], at: int) -> None:
    power[at:] = 0.0


def _scale(power: NDArray[np.float64], at: int) -> None:
    power[at:] *= 1.6


def _reset(power: NDArray[np.float64], at: int) -> None:
    power[at] = np.nan


PLANTED: dict[str, Callable[[MeterYear, int], Planted]] = {
    "idle load": _extra(idle_heating),
    "base load": _extra(air_leak),
    "energy per piece": _extra(heavy_pieces),
    "stuck": _faulty(_stick),
    "silent": _faulty(_silence),
    "reset": _faulty(_reset),
    "scaled": _faulty(_scale),
}
ALSO_RIGHT = {"energy per piece": ("running load",)}
"""A line that takes more while it runs, in nearly the same hours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one planted loss.

    Attributes
    ----------
    found : shifts until something was told; ``None`` if nothing was
    right : shifts until the right cause was told
    money : told over true, at the first look with the right cause and a fortnight after the begin; NaN for faults
    covers : whether the interval of the begin holds the truth, to the shift
    """

    found: int | None
    right: int | None
    money: tuple[float, float]
    covers: bool


def learnt(periods: EnergyPeriods) -> EnergyBaseline:
    """Learn the baseline from the first 180 days."""
    return fit_energy_baseline(periods.where(np.arange(len(periods)) < BASELINE_HOURS))


def until(periods: EnergyPeriods, hour: int) -> EnergyPeriods:
    """Return what is known of the watched time at the begin of an hour."""
    place = np.arange(len(periods))
    return periods.where((place >= BASELINE_HOURS) & (place < hour))


def told(watched: Watched, since: int) -> list[str]:
    """Return causes and kinds of what was found that begins at the earliest two days before a moment and lasts."""
    after = since - 48 * HOUR
    some = [*((each.cause, each) for each in watched.losses), *((each.kind, each) for each in watched.doubts)]
    return [name for name, each in some if moment(each.since) >= after]


def outcome(kind: str, random: np.random.Generator, noise: float) -> Outcome:
    """Plant one loss in a year of its own and look at the end of each shift."""
    year = meter_year(random, noise=noise)
    clean = year.periods()
    baseline = learnt(clean)
    at = int(random.integers(BASELINE_HOURS + 20 * 24, len(clean) - 20 * 24))
    power, extra = PLANTED[kind](year, at)
    periods = year.periods(power)
    if kind == "reset":
        periods = replace(periods, resets=periods.end[at : at + 1])
    begin = int(periods.begin[at])
    found = right = None
    money, covers = (np.nan, np.nan), False
    right_ones = (kind, *ALSO_RIGHT.get(kind, ()))
    first_look = at + 1 + (-(at + 1) - 1) % SHIFT_HOURS  # the next end of a shift: 22, 6 or 14 h
    for look in range(LOOKS + 1):
        if right is not None and look < LOOKS:
            continue
        hour = min(first_look + look * SHIFT_HOURS, len(periods))
        watched = watch(baseline, until(periods, hour), PRICE)
        names = told(watched, begin)
        found = look + 1 if names and found is None else found
        if right is None and any(name in right_ones for name in names):
            right = look + 1
        if extra is not None and look in (LOOKS, (right or 0) - 1):
            own = [
                each for each in watched.losses if each.cause in right_ones and moment(each.since) >= begin - 48 * HOUR
            ]
            true = PRICE.money(float(extra[:hour].sum())) or np.nan
            share = (sum(each.money or 0.0 for each in own) / true) if own else np.nan
            money = (share if look != LOOKS else money[0], share if look == LOOKS else np.nan)
            if own and look == LOOKS:
                low, high = moment(own[0].earliest), moment(own[0].latest)
                covers = low - 24 * HOUR <= begin <= high + 24 * HOUR
    return Outcome(found, right, money, covers)


def false_findings(random: np.random.Generator, noise: float) -> tuple[int, float]:
    """Return how many findings a clean year raises, and the months that were watched."""
    periods = meter_year(random, noise=noise).periods()
    watched = watch(learnt(periods), until(periods, len(periods)), PRICE)
    return len(watched.losses) + len(watched.doubts), (len(periods) - BASELINE_HOURS) / 24 / 30.4


def main() -> int:
    """Print a row for each kind of loss, and one for clean meters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meters", type=int, default=40, help="meters for each kind of loss")
    parser.add_argument("--clean", type=int, default=100, help="clean meters")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.05, help="of an hour, as a share of its power")
    parser.add_argument("--only", default="", help="one kind of loss")
    asked = parser.parse_args()
    for place, kind in enumerate(PLANTED):
        if asked.only in ("", kind):
            chance = np.random.default_rng([asked.seed, place])
            _tell(kind, [outcome(kind, chance, asked.noise) for _ in range(asked.meters)])
    chance = np.random.default_rng([asked.seed, 99])
    counts = [false_findings(chance, asked.noise) for _ in range(asked.clean)]
    count, months = sum(each for each, _ in counts), sum(each for _, each in counts)
    rate = poisson_rate(count, months)
    with_any = wilson(sum(each > 0 for each, _ in counts), len(counts))
    sys.stdout.write(
        f"clean meters: {count} findings in {months:.0f} meter-months, {rate.value:.3f} a month"
        f" [{rate.low:.3f}-{rate.high:.3f}]; meters with any: {with_any.percent()}\n"
    )
    return 0


def _tell(kind: str, outcomes: list[Outcome]) -> None:
    total = len(outcomes)
    right = [each.right for each in outcomes if each.right is not None]
    soon = wilson(sum(each <= 3 for each in right), total)
    said = (
        f"{kind}: found {wilson(sum(each.found is not None for each in outcomes), total).percent()},"
        f" right cause {wilson(len(right), total).percent()}, within 3 shifts {soon.percent()},"
        f" shifts median {np.median(right) if right else np.nan:.0f},"
        f" p90 {np.quantile(right, 0.9) if right else np.nan:.0f}"
    )
    late = np.array([each.money[1] for each in outcomes])
    if np.isfinite(late).any():
        first = np.array([each.money[0] for each in outcomes])
        near = [wilson(int((np.abs(each - 1) <= 0.1).sum()), int(np.isfinite(each).sum())) for each in (first, late)]
        said += (
            f"; money told/true median {np.nanmedian(first):.2f} at first, {np.nanmedian(late):.2f} after a fortnight;"
            f" within 10 % {near[0].percent()}, {near[1].percent()};"
            f" begin within its interval {wilson(sum(each.covers for each in outcomes), total).percent()}"
        )
    sys.stdout.write(said + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
