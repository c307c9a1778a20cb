"""The one way in which a rise of lost time or pieces becomes a loss that is told."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.efficiency.finders.excess import Excess
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Record
from models.efficiency.finders.rise import Rise
from models.efficiency.finders.words import money, since_words
from models.finding import Evidence


@dataclass(frozen=True, slots=True)
class Since:
    """Since when: places of shifts in a record.

    Attributes
    ----------
    first, low, high : the begin and its 95 % interval
    seen : the shift that was needed to see it
    """

    first: int
    low: int
    high: int
    seen: int

    @classmethod
    def of(cls, rise: Rise, at: NDArray[np.int64]) -> "Since":
        """Return it for a rise in a series of which each value has the place of its shift."""
        return cls(*(int(at[each]) for each in (rise.first, rise.low, rise.high, rise.seen)))

    def moments(self, record: Record) -> tuple[datetime, datetime, datetime, datetime]:
        """Return the begin, its earliest and latest, and the end of the shift that was needed."""
        return (*(record.begin(each) for each in (self.first, self.low, self.high)), record.stop(self.seen))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a finder says of a rise.

    Attributes
    ----------
    finder : its name, which is the cause too
    what : what rose from what to what, with numbers
    more : what it concentrates on or goes with; begins with a semicolon, or is empty
    value : what was lost since then is worth; ``None`` where nobody knows
    """

    finder: str
    what: str
    evidence: tuple[Evidence, ...]
    pattern: dict[str, str]
    value: float | None
    more: str = ""


def lost_time(record: Record, since: Since, told: Told, excess: Excess, pieces: float | None = None) -> FoundLoss:
    """Return a loss of time.

    Parameters
    ----------
    excess : hours beyond the usual
    pieces : that could have been made in it; ``None`` where nobody knows
    """
    lost = f"{excess.amount:.3g} h lost beyond the usual ({excess.low:.2g} to {excess.high:.2g})"
    plain = _loss(record, since, told, lost)
    return replace(plain, hours=excess.amount, hours_low=excess.low, hours_high=excess.high, pieces=pieces)


def lost_pieces(record: Record, since: Since, told: Told, excess: Excess) -> FoundLoss:
    """Return a loss of quality; the excess is of pieces."""
    lost = f"{excess.amount:.0f} pieces lost beyond the usual ({excess.low:.0f} to {excess.high:.0f})"
    return replace(_loss(record, since, told, lost), kind="quality loss", pieces=excess.amount)


def _loss(record: Record, since: Since, told: Told, lost: str) -> FoundLoss:
    per_hour = None if told.value is None else told.value / record.clock_hours(since.first)
    when = since_words(record, since.first, since.low, since.high)
    begin, earliest, latest, seen = since.moments(record)
    return FoundLoss(
        finder=told.finder,
        kind="time loss",
        cause=told.finder,
        machine=record.machine,
        since=begin,
        earliest=earliest,
        latest=latest,
        seen=seen,
        sentence=f"{record.machine}: {told.what}, {when}: {lost}{money(record, per_hour)}{told.more}",
        evidence=told.evidence,
        pattern=told.pattern,
        money_per_hour=per_hour,
    )
