"""Products that take longer a piece than this machine is used to: a drift of the cycle time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.kind_scores import KindScores
from models.efficiency.finders.lots import goes_on, made_by_lot
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import Rise, lasting_rise, likeliest
from models.efficiency.finders.told import Since, Told, lost_time
from models.finding import Evidence

NAME = "slow cycle"
LEAST_SHARE = 0.015
"""A cycle that is longer by less is nobody's time worth."""
_LEAST_HOURS = 0.5

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Slow:
    """A product that takes longer, or all of them: rows of the shifts and products that are looked at."""

    product: str
    rows: pd.DataFrame
    scores: KindScores
    rise: Rise


def slow_cycle(look: Look) -> list[FoundLoss]:
    """Return that one product or all take longer on a machine than they used to; at most one.

    Running time a piece is held against the same product's own past, so that neither a mix of products nor a wrong
    ideal cycle time looks like a loss of speed. Of all products together and each alone that is told which tells best
    what is seen.
    """
    record = look.record
    if not len(record.made):
        return []
    made = made_by_lot(record)
    made = made[(made["running"] >= _LEAST_HOURS) & (made["produced"] > 0) & (made["product"] != "")]
    products = sorted(set(made["product"]))
    watched = ["", *products] if len(products) > 1 else products
    slow = [each for product in watched if (each := _slow(made, product, len(watched))) is not None]
    if not slow:
        return []
    every = _scores(made)
    at, name = made["at"].to_numpy(np.int64), made["product"].to_numpy(object)
    first = {each.product: int(each.rows["at"].iloc[each.rise.first]) for each in slow}
    parts = {product: (at >= since) & (name == (product or name)) for product, since in first.items()}
    ranked = likeliest(every, parts)
    likely = sorted(slow, key=lambda each: ranked.index(each.product))
    return [loss for each in likely if (loss := _loss(record, each)) is not None][:1]


def _slow(made: pd.DataFrame, product: str, series: int) -> _Slow | None:
    rows = (made[made["product"] == product] if product else made).reset_index(drop=True)
    scores = _scores(rows)
    rise = lasting_rise(scores, series=series)
    return None if rise is None else _Slow(product, rows, scores, rise)


def _scores(rows: pd.DataFrame) -> KindScores:
    running = rows["running"].to_numpy(float)
    return KindScores(
        running / rows["produced"].to_numpy(float),
        rows["product"].to_numpy(object),
        # An order is faster or slower than another by as much, however long it is worked on.
        running / (running + 1.0),
        goes_on(rows),
        pooled=False,
    )


def _loss(record: Record, slow: _Slow) -> FoundLoss | None:
    rows, rise = slow.rows, slow.rise
    running, expected = (
        rows["running"].to_numpy(float),
        slow.scores.usual(rise.usual) * rows["produced"].to_numpy(float),
    )
    since = np.arange(rise.first, len(rows))
    since, usual = (places[~np.isnan(expected[places])] for places in (since, rise.usual))
    excess = excess_of(running, expected, usual, since)
    if excess.low <= 0 or excess.amount < LEAST_SHARE * float(running[since].sum()):
        return None
    cycles = _cycles(rows.assign(expected=expected * excess.usual).iloc[since])
    begin = Since.of(rise, rows["at"].to_numpy(np.int64))
    worth = [record.worth(each.over, str(name)) for name, each in cycles.iterrows()]
    known = [each for each in worth if each is not None]
    told = Told(
        finder=NAME,
        what=", ".join(
            f"{name} takes {each.actual:.3g} s a piece in place of its usual {each.usual:.3g} s"
            f" ({each.actual / each.usual - 1:+.1%})"
            for name, each in cycles.iterrows()
        ),
        evidence=tuple(
            Evidence(
                signal=f"cycle of {name}",
                unit="s",
                feature="running time a piece",
                actual=each.actual,
                expected=each.usual,
                share=each.over / excess.amount,
            )
            for name, each in cycles.iterrows()
        ),
        pattern={"product": str(cycles.index[0])} if len(cycles) == 1 else {},
        value=sum(known) if known else None,
    )
    return lost_time(record, begin, told, excess, float((cycles["over"] / cycles["usual"]).sum()) * 3600)


def _cycles(since: pd.DataFrame) -> pd.DataFrame:
    """Return of each product its cycle since then and the usual one in seconds, and the hours that were lost."""
    sums = since.groupby("product")[["running", "expected", "produced"]].sum()
    found = pd.DataFrame(
        {
            "actual": 3600 * sums["running"] / sums["produced"],
            "usual": 3600 * sums["expected"] / sums["produced"],
            "over": sums["running"] - sums["expected"],
        }
    )
    return found.sort_values("over", ascending=False)
