"""Products of which more is scrapped than this machine is used to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import CountScores, Rise, lasting_rise, likeliest
from models.efficiency.finders.told import Since, Told, lost_pieces
from models.finding import Evidence

NAME = "scrap"
LEAST_SHARE = 0.002
"""A share of scrap that is higher by less is nobody's time worth."""


@dataclass(frozen=True, slots=True)
class _Spoilt:
    """A product of which more is scrapped, or all of them: rows of the shifts and products that are looked at."""

    product: str
    rows: pd.DataFrame
    scores: CountScores
    rise: Rise


def scrap(look: Look) -> list[FoundLoss]:
    """Return that of one product or of all more is scrapped on a machine than usual; at most one."""
    record = look.record
    made = record.made[record.made["produced"] > 0]
    products = sorted(set(made["product"]))
    watched = [None, *products] if len(products) > 1 else products
    spoilt = [each for product in watched if (each := _spoilt(made, product, len(watched))) is not None]
    if not spoilt:
        return []
    at, name = made["at"].to_numpy(np.int64), made["product"].to_numpy(object)
    first = {each.product: int(each.rows["at"].iloc[each.rise.first]) for each in spoilt}
    parts = {product: (at >= since) & (name == (product or name)) for product, since in first.items()}
    ranked = likeliest(_scores(made), parts)
    likely = sorted(spoilt, key=lambda each: ranked.index(each.product))
    return [loss for each in likely if (loss := _loss(record, each)) is not None][:1]


def _spoilt(made: pd.DataFrame, product: str | None, series: int) -> _Spoilt | None:
    rows = (made if product is None else made[made["product"] == product]).reset_index(drop=True)
    scores = _scores(rows)
    rise = lasting_rise(scores, series=series)
    return None if rise is None else _Spoilt(product or "", rows, scores, rise)


def _scores(rows: pd.DataFrame) -> CountScores:
    scrapped, pieces = (rows[name].to_numpy(float) for name in ("scrap", "produced"))
    return CountScores(scrapped, pieces, rows["product"].to_numpy(object))


def _loss(record: Record, spoilt: _Spoilt) -> FoundLoss | None:
    rows, rise = spoilt.rows, spoilt.rise
    expected, since = spoilt.scores.expected(rise.usual), np.arange(rise.first, len(rows))
    excess = excess_of(spoilt.scores.counts, expected, rise.usual, since)
    shares = _shares(rows.assign(expected=expected * excess.usual).iloc[since])
    more = float(shares["over"].sum() / shares["produced"].sum())
    if excess.low <= 0 or more < LEAST_SHARE:
        return None
    values = [value for name, each in shares.iterrows() if (value := _value(record, str(name), each.over)) is not None]
    told = Told(
        finder=NAME,
        what="scraps "
        + ", ".join(
            f"{each.actual:.2%} of {name or 'its pieces'} in place of the usual {each.usual:.2%}"
            for name, each in shares.iterrows()
        ),
        evidence=tuple(
            Evidence(
                signal=f"scrap of {name or 'all'}",
                unit="%",
                feature="share of pieces",
                actual=100 * each.actual,
                expected=100 * each.usual,
                share=each.over / excess.amount,
            )
            for name, each in shares.iterrows()
        ),
        pattern={"product": str(shares.index[0])} if len(shares) == 1 and shares.index[0] else {},
        value=sum(values) if values else None,
    )
    return lost_pieces(record, Since.of(rise, rows["at"].to_numpy(np.int64)), told, excess)


def _shares(since: pd.DataFrame) -> pd.DataFrame:
    """Return of each product its share of scrap since then and the usual one, and the pieces that were lost."""
    sums = since.groupby("product")[["scrap", "expected", "produced"]].sum()
    found = pd.DataFrame(
        {
            "actual": sums["scrap"] / sums["produced"],
            "usual": sums["expected"] / sums["produced"],
            "over": sums["scrap"] - sums["expected"],
            "produced": sums["produced"],
        }
    )
    return found.sort_values("over", ascending=False)


def _value(record: Record, product: str, pieces: float) -> float | None:
    """Return what scrapped pieces cost: the time that they took, and their material."""
    material = next((each.scrap_cost for each in record.plant.products if each.name == product), 0.0)
    hours = pieces * record.ideal(product)
    time = record.worth(hours, product) if hours else None
    return None if time is None and not material else (time or 0.0) + pieces * material
