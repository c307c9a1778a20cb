"""Products that take longer a piece than this machine is used to: a drift of the cycle time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.finders.excess import Excess, excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import MeanScores, Rise, lasting_rise
from models.efficiency.finders.words import money, since_words
from models.finding import Evidence

NAME = "slow cycle"
LEAST_SHARE = 0.015
"""A cycle that is longer by less is nobody's time worth."""
_LEAST_HOURS = 0.5

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Slow:
    """One product that takes longer; places are those of shifts."""

    product: str
    excess: Excess
    first: int
    low: int
    high: int
    seen: int

    @property
    def cycle(self) -> float:
        """Running time a piece since then, in seconds."""
        return 3600 * self.excess.actual

    @property
    def usual(self) -> float:
        """The same before, in seconds."""
        return 3600 * self.excess.usual


def slow_cycle(look: Look) -> list[FoundLoss]:
    """Return that products take longer on a machine than they used to; at most one, of all products together.

    Running time a piece is held against the same product's own past, so that neither a mix of products nor a wrong
    ideal cycle time looks like a loss of speed.
    """
    record = look.record
    products = sorted(set(record.made["product"][record.made["produced"] > 0]) - {""})
    slow = [each for name in products if (each := _slow(record, name, len(products))) is not None]
    return [_loss(record, sorted(slow, key=lambda each: -each.excess.amount))] if slow else []


def _slow(record: Record, product: str, series: int) -> _Slow | None:
    running, pieces = (record.with_product(product, each) for each in ("running", "produced"))
    worked = np.flatnonzero((running >= _LEAST_HOURS) & (pieces > 0))
    scores = MeanScores(np.log(running[worked] / pieces[worked]), running[worked])
    rise: Rise | None = lasting_rise(scores, series=series)
    if rise is None:
        return None
    since = worked[rise.first :]
    excess = excess_of(running, pieces, worked[rise.usual], since)
    if excess.low <= 0 or excess.amount < LEAST_SHARE * float(running[since].sum()):
        return None
    return _Slow(product, excess, *(int(worked[each]) for each in (rise.first, rise.low, rise.high, rise.seen)))


def _loss(record: Record, slow: list[_Slow]) -> FoundLoss:
    worst, begin = slow[0], min(slow, key=lambda each: each.first)
    hours, low, high = (sum(getattr(each.excess, name) for each in slow) for name in ("amount", "low", "high"))
    worth = [record.worth(each.excess.amount, each.product) for each in slow]
    known = [each for each in worth if each is not None]
    per_hour = sum(known) / record.clock_hours(begin.first) if known else None
    told = ", ".join(
        f"{each.product} takes {each.cycle:.3g} s a piece in place of its usual {each.usual:.3g} s"
        f" ({each.cycle / each.usual - 1:+.1%})"
        for each in slow
    )
    return FoundLoss(
        finder=NAME,
        kind="time loss",
        cause=NAME,
        machine=record.machine,
        since=record.begin(begin.first),
        earliest=record.begin(begin.low),
        latest=record.begin(begin.high),
        seen=record.stop(min(each.seen for each in slow)),
        pattern={"product": worst.product} if len(slow) == 1 else {},
        sentence=(
            f"{record.machine}: {told}, {since_words(record, begin.first, begin.low, begin.high)}:"
            f" {hours:.3g} h lost beyond the usual ({low:.2g} to {high:.2g}){money(record, per_hour)}"
        ),
        evidence=tuple(
            Evidence(
                signal=f"cycle of {each.product}",
                unit="s",
                feature="running time a piece",
                actual=each.cycle,
                expected=each.usual,
                share=each.excess.amount / hours,
            )
            for each in slow
        ),
        hours=hours,
        hours_low=low,
        hours_high=high,
        pieces=sum(each.excess.amount / each.excess.usual for each in slow),
        money_per_hour=per_hour,
    )
