"""Products of which more is scrapped than this machine is used to."""

from dataclasses import dataclass

import numpy as np

from models.efficiency.finders.excess import Excess, excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import CountScores, Rise, lasting_rise
from models.efficiency.finders.words import money, since_words
from models.finding import Evidence

NAME = "scrap"
LEAST_SHARE = 0.002
"""A share of scrap that is higher by less is nobody's time worth."""


@dataclass(frozen=True, slots=True)
class _Spoilt:
    """One product of which more is scrapped; places are those of shifts, ``value`` is what it cost since."""

    product: str
    excess: Excess
    hours: float
    value: float | None
    first: int
    low: int
    high: int
    seen: int


def scrap(look: Look) -> list[FoundLoss]:
    """Return that more is scrapped on a machine than usual; at most one, of all products together."""
    record = look.record
    products = sorted(set(record.made["product"][record.made["produced"] > 0]))
    spoilt = [each for name in products if (each := _spoilt(record, name, len(products))) is not None]
    return [_loss(record, sorted(spoilt, key=lambda each: -each.excess.amount))] if spoilt else []


def _spoilt(record: Record, product: str, series: int) -> _Spoilt | None:
    own = record.made[record.made["product"] == product]
    scrapped, pieces = (record.summed(own, each) for each in ("scrap", "produced"))
    worked = np.flatnonzero(pieces > 0)
    rise: Rise | None = lasting_rise(CountScores(scrapped[worked], pieces[worked]), series=series)
    if rise is None:
        return None
    excess = excess_of(scrapped, pieces, worked[rise.usual], worked[rise.first :])
    if excess.low <= 0 or excess.actual - excess.usual < LEAST_SHARE:
        return None
    hours = excess.amount * record.ideal(product)
    places = (int(worked[each]) for each in (rise.first, rise.low, rise.high, rise.seen))
    return _Spoilt(product, excess, hours, _value(record, product, excess, hours), *places)


def _loss(record: Record, spoilt: list[_Spoilt]) -> FoundLoss:
    begin = min(spoilt, key=lambda each: each.first)
    pieces, low, high = (sum(getattr(each.excess, name) for each in spoilt) for name in ("amount", "low", "high"))
    values = [each.value for each in spoilt if each.value is not None]
    per_hour = sum(values) / record.clock_hours(begin.first) if values else None
    told = ", ".join(
        f"{each.excess.actual:.2%} of {each.product or 'its pieces'} in place of the usual {each.excess.usual:.2%}"
        for each in spoilt
    )
    return FoundLoss(
        finder=NAME,
        kind="quality loss",
        cause=NAME,
        machine=record.machine,
        since=record.begin(begin.first),
        earliest=record.begin(begin.low),
        latest=record.begin(begin.high),
        seen=record.stop(min(each.seen for each in spoilt)),
        pattern={"product": spoilt[0].product} if len(spoilt) == 1 and spoilt[0].product else {},
        sentence=(
            f"{record.machine}: scraps {told}, {since_words(record, begin.first, begin.low, begin.high)}:"
            f" {pieces:.0f} pieces lost beyond the usual ({low:.0f} to {high:.0f}){money(record, per_hour)}"
        ),
        evidence=tuple(
            Evidence(
                signal=f"scrap of {each.product or 'all'}",
                unit="%",
                feature="share of pieces",
                actual=100 * each.excess.actual,
                expected=100 * each.excess.usual,
                share=each.excess.amount / pieces,
            )
            for each in spoilt
        ),
        pieces=pieces,
        money_per_hour=per_hour,
    )


def _value(record: Record, product: str, excess: Excess, hours: float) -> float | None:
    """Return what scrapped pieces cost: the time that they took, and their material."""
    material = next((each.scrap_cost for each in record.plant.products if each.name == product), 0.0)
    time = record.worth(hours, product) if hours else None
    return None if time is None and not material else (time or 0.0) + excess.amount * material
