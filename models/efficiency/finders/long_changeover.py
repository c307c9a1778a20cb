"""Change-overs that take longer than their own kind used to, from the same product to the same product."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.finders.concentration import SHARE
from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import Rise, lasting_rise, resemblance, robust_variance
from models.efficiency.finders.words import money, since_words
from models.finding import Evidence

NAME = "long change-over"
LEAST_LONGER = 0.1
"""Change-overs that are longer by less are nobody's time worth."""
_LEAST_OF_A_KIND = 3

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class KindScores:
    """Scores of lengths, each against the median of its own kind.

    Attributes
    ----------
    hours : length of each change-over, shape (n,), above 0
    kind : what it is held against, shape (n,)
    """

    hours: Floats
    kind: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.hours)

    def usual(self, usual: Places) -> Floats:
        """Return the usual length of every change-over in hours: the median of its kind, or of all where it is rare."""
        medians = {
            kind: float(np.median(self.hours[usual][self.kind[usual] == kind]))
            for kind in set(self.kind[usual])
            if (self.kind[usual] == kind).sum() >= _LEAST_OF_A_KIND
        }
        every = float(np.median(self.hours[usual]))
        return np.array([medians.get(kind, every) for kind in self.kind])

    def score(self, usual: Places, at: int) -> float:
        """Return by how many standard deviations the log of one is above that of its kind."""
        over = np.log(self.hours / self.usual(usual))
        kept = over[usual]
        # Medians of few draw the values that they are of to them.
        spread = np.sqrt(robust_variance(kept) * resemblance(kept) * (1 + 1 / _LEAST_OF_A_KIND))
        return float(over[at] / max(spread, 0.02))


def long_changeover(look: Look) -> list[FoundLoss]:
    """Return that change-overs of a machine take longer than their kind; at most one."""
    record = look.record
    done = changeovers_of(record)
    scores = KindScores(done["hours"].to_numpy(float), done["kind"].to_numpy(object))
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
    excess = excess_of(scores.hours, expected, usual, since)
    if excess.low <= 0 or excess.actual / excess.usual - 1 < LEAST_LONGER:
        return []
    at = done["at"].to_numpy(np.int64)
    first, low, high, seen = (int(at[each]) for each in (rise.first, rise.low, rise.high, rise.seen))
    value = record.worth(excess.amount, "")
    per_hour = None if value is None else value / record.clock_hours(first)
    over = pd.Series((scores.hours - expected)[since]).groupby(scores.kind[since]).sum()
    kind = str(over.idxmax())
    most = float(over.max() / max(over[over > 0].sum(), 1e-12))
    named = most >= SHARE and len(over) > 1
    hours, normal = float(scores.hours[since].mean()), float(expected[since].mean()) * excess.usual
    return [
        FoundLoss(
            finder=NAME,
            kind="time loss",
            cause=NAME,
            machine=record.machine,
            since=record.begin(first),
            earliest=record.begin(low),
            latest=record.begin(high),
            seen=record.stop(seen),
            pattern={"change-over": kind} if named else {},
            sentence=(
                f"{record.machine}: {len(since)} change-overs took {60 * hours:.3g} min in place of the"
                f" {60 * normal:.3g} min of their kind, {since_words(record, first, low, high)}:"
                f" {excess.amount:.3g} h lost beyond the usual ({excess.low:.2g} to {excess.high:.2g})"
                f"{money(record, per_hour)}" + (f"; {most:.0%} of it is {kind!r}" if named else "")
            ),
            evidence=(
                Evidence(
                    signal="change-over",
                    unit="min",
                    feature="mean of their kind",
                    actual=60 * hours,
                    expected=60 * normal,
                    share=1.0,
                ),
            ),
            hours=excess.amount,
            hours_low=excess.low,
            hours_high=excess.high,
            money_per_hour=per_hour,
        )
    ]
