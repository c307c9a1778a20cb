"""A machine that waits more than it used to: starved by what comes before it, blocked by what comes after."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import CountScores, lasting_rise
from models.efficiency.finders.told import Since, Told, lost_time
from models.finding import Evidence

LEAST_SHARE = 0.01
"""Waiting that is more by a smaller share of busy time is nobody's time worth."""
_LEAST_HOURS = 1.0
_TOGETHER, _TIMES = 0.5, 2.0
"""A neighbour is named that stands during half of the waiting, and twice as much as it stands at other times."""
_STANDS = ("breakdown", "stopped", "minor_stop", "changeover", "planned_stop", "idle")


def starved(look: Look) -> list[FoundLoss]:
    """Return that a machine waits for material more than it used to; at most one."""
    return _waits(look, "starved", look.upstream)


def blocked(look: Look) -> list[FoundLoss]:
    """Return that a machine cannot get rid of what it made more than it used to; at most one."""
    return _waits(look, "blocked", look.downstream)


def _waits(look: Look, cause: str, neighbours: Sequence[str]) -> list[FoundLoss]:
    record = look.record
    parts = record.parts[record.parts["did"] == cause]
    lost = record.summed(parts.assign(hours=(parts["stop"] - parts["begin"]) / HOUR), "hours")
    busy = record.per_shift("busy")
    worked = np.flatnonzero(busy >= _LEAST_HOURS)
    rise = lasting_rise(CountScores(lost[worked] / _one_wait(parts), busy[worked]))
    if rise is None:
        return []
    since = worked[rise.first :]
    excess = excess_of(lost, busy, worked[rise.usual], since)
    if excess.low <= 0 or excess.amount < LEAST_SHARE * float(busy[since].sum()):
        return []
    since_when = Since.of(rise, worked)
    by = _stood_meanwhile(look.record_of, parts[parts["at"] >= since_when.first], neighbours, record, since_when.first)
    share = Evidence(
        signal=cause,
        unit="%",
        feature="share of busy time",
        actual=100 * excess.actual,
        expected=100 * excess.usual,
        share=1.0,
    )
    told = Told(
        finder=cause,
        what=f"{cause} for {excess.actual:.1%} of busy time in place of its usual {excess.usual:.1%}",
        evidence=(share,) if by is None else (share, _stood_evidence(*by)),
        pattern={} if by is None else {"machine": by[0]},
        value=record.worth(excess.amount, ""),
        more=f"; {by[0]} stood during {by[1]:.0%} of it, and {by[2]:.0%} otherwise" if by else "",
    )
    return [lost_time(record, since_when, told, excess)]


def _one_wait(parts: pd.DataFrame) -> float:
    """Return the hours of one wait: time in waits varies as a number of waits of such a length does.

    The variance of a sum of independent waits is the sum of the squares of their lengths.
    """
    hours = (parts["stop"] - parts["begin"]).to_numpy(float) / HOUR
    return float((hours**2).sum() / hours.sum()) if hours.any() else 1.0


def _stood_evidence(machine: str, meanwhile: float, otherwise: float) -> Evidence:
    return Evidence(
        signal=f"{machine} stands",
        unit="%",
        feature="share of that time",
        actual=100 * meanwhile,
        expected=100 * otherwise,
        share=meanwhile,
    )


def _stood_meanwhile(
    record_of: Callable[[str], Record], waits: pd.DataFrame, neighbours: Sequence[str], own: Record, first: int
) -> tuple[str, float, float] | None:
    """Return the nearest neighbour that stood while this machine waited, and the shares of that and of other time."""
    begin, waited = int(own.shifts["begin"].iloc[first]), float((waits["stop"] - waits["begin"]).sum())
    for name in neighbours:
        theirs = record_of(name).parts
        stood = theirs[theirs["did"].isin(_STANDS) & (theirs["stop"] > begin)]
        whole = float((theirs["stop"] - theirs["begin"])[theirs["stop"] > begin].sum())
        together = _overlap(stood, waits)
        meanwhile = together / waited if waited else 0.0
        otherwise = (float((stood["stop"] - stood["begin"]).sum()) - together) / max(whole - waited, 1.0)
        if meanwhile >= _TOGETHER and meanwhile >= _TIMES * otherwise:
            return name, meanwhile, otherwise
    return None


def _overlap(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the time that lies in both; each ascends and does not overlap itself."""

    def until(moments: NDArray[np.int64]) -> NDArray[np.float64]:
        begin, stop = (other[name].to_numpy(np.int64) for name in ("begin", "stop"))
        knots = np.column_stack([begin, stop]).ravel()
        spent = np.column_stack([np.cumsum(stop - begin) - (stop - begin), np.cumsum(stop - begin)]).ravel()
        return np.interp(moments, knots, spent) if len(knots) else np.zeros(len(moments))

    return float((until(one["stop"].to_numpy(np.int64)) - until(one["begin"].to_numpy(np.int64))).sum())
