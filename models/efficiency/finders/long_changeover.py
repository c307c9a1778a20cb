"""Change-overs that take longer than their own kind used to, from the same product to the same product."""

import numpy as np
import pandas as pd

from features.microsecond import HOUR
from models.efficiency.finders.concentration import SHARE
from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.kind_scores import KindScores
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import Rise, lasting_rise
from models.efficiency.finders.told import Since, Told, lost_time
from models.finding import Evidence

NAME = "long change-over"
LEAST_LONGER = 0.1
"""Change-overs that are longer by less are nobody's time worth."""


def long_changeover(look: Look) -> list[FoundLoss]:
    """Return that change-overs of a machine take longer than their kind; at most one."""
    record = look.record
    done = changeovers_of(record)
    alike = np.ones(len(done))
    scores = KindScores(
        done["hours"].to_numpy(float), done["kind"].to_numpy(object), alike, alike.astype(np.bool_), pooled=True
    )
    rise = lasting_rise(scores)
    return [] if rise is None else _loss(record, done, scores, rise)


def changeovers_of(record: Record) -> pd.DataFrame:
    """Return the change-overs of a record: ``at``, ``hours`` and ``kind``, as ``cap → lid``.

    One that the begin or the end of planned time cuts has no known length, and is left out.
    """
    parts = record.parts
    setting = parts[parts["did"] == "changeover"]
    number = parts["opens"].cumsum()[setting.index]
    found = setting.assign(number=number).groupby("number", sort=True).agg(
        at=("at", "first"), begin=("begin", "first"), stop=("stop", "last")
    )  # fmt: skip
    running = parts[parts["did"] == "running"]
    begins, products = running["begin"].to_numpy(np.int64), running["product"].to_numpy(object)
    before = np.searchsorted(begins, found["begin"].to_numpy(np.int64)) - 1
    after = np.searchsorted(begins, found["stop"].to_numpy(np.int64))
    known = (before >= 0) & (after < len(begins))
    begin, stop = found["begin"].to_numpy(np.int64), found["stop"].to_numpy(np.int64)
    # Off plan there are no parts: whatever does not follow on another part is cut there.
    whole = np.isin(begin, parts["stop"].to_numpy(np.int64)) & np.isin(stop, parts["begin"].to_numpy(np.int64))
    found = found[known & whole]
    pairs = zip(products[before[known & whole]], products[after[known & whole]], strict=True)
    return pd.DataFrame(
        {
            "at": found["at"].to_numpy(np.int64),
            "hours": (found["stop"] - found["begin"]).to_numpy(float) / HOUR,
            "kind": np.array([f"{one} → {other}" for one, other in pairs], object),
        }
    )


def _loss(record: Record, done: pd.DataFrame, scores: KindScores, rise: Rise) -> list[FoundLoss]:
    usual, since = rise.usual, np.arange(rise.first, len(done))
    expected = scores.usual(usual)
    excess = excess_of(scores.lengths, expected, usual, since)
    if excess.low <= 0 or excess.actual / excess.usual - 1 < LEAST_LONGER:
        return []
    over = pd.Series((scores.lengths - expected)[since]).groupby(scores.kind[since]).sum()
    kind = str(over.idxmax())
    most = float(over.max() / max(over[over > 0].sum(), 1e-12))
    named = most >= SHARE and len(over) > 1
    minutes, normal = 60 * float(scores.lengths[since].mean()), 60 * float(expected[since].mean()) * excess.usual
    length = Evidence(
        signal="change-over", unit="min", feature="mean of their kind", actual=minutes, expected=normal, share=1.0
    )
    told = Told(
        finder=NAME,
        what=f"{len(since)} change-overs took {minutes:.3g} min in place of the {normal:.3g} min of their kind",
        evidence=(length,),
        pattern={"change-over": kind} if named else {},
        value=record.worth(excess.amount, ""),
        more=f"; {most:.0%} of it is {kind!r}" if named else "",
    )
    return [lost_time(record, Since.of(rise, done["at"].to_numpy(np.int64)), told, excess)]
