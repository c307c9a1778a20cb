"""A machine that waits more than it used to: starved by what comes before it, blocked by what comes after."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.finders.excess import excess_of
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import ShareScores, lasting_rise
from models.efficiency.finders.words import money, since_words
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
    rise = lasting_rise(ShareScores(lost[worked] / busy[worked], busy[worked]))
    if rise is None:
        return []
    since = worked[rise.first :]
    excess = excess_of(lost, busy, worked[rise.usual], since)
    if excess.low <= 0 or excess.amount < LEAST_SHARE * float(busy[since].sum()):
        return []
    first, low, high, seen = (int(worked[each]) for each in (rise.first, rise.low, rise.high, rise.seen))
    value = record.worth(excess.amount, "")
    per_hour = None if value is None else value / record.clock_hours(first)
    by = _stood_meanwhile(look.record_of, parts[parts["at"] >= first], neighbours, record, first)
    said = f"; {by[0]} stood during {by[1]:.0%} of it, and {by[2]:.0%} otherwise" if by else ""
    share = Evidence(
        signal=cause,
        unit="%",
        feature="share of busy time",
        actual=100 * excess.actual,
        expected=100 * excess.usual,
        share=1.0,
    )
    neighbour = () if by is None else (_stood_evidence(*by),)
    return [
        FoundLoss(
            finder=cause,
            kind="time loss",
            cause=cause,
            machine=record.machine,
            since=record.begin(first),
            earliest=record.begin(low),
            latest=record.begin(high),
            seen=record.stop(seen),
            pattern={} if by is None else {"machine": by[0]},
            sentence=(
                f"{record.machine}: {cause} for {excess.actual:.1%} of busy time in place of its usual"
                f" {excess.usual:.1%}, {since_words(record, first, low, high)}: {excess.amount:.3g} h lost beyond"
                f" the usual ({excess.low:.2g} to {excess.high:.2g}){money(record, per_hour)}{said}"
            ),
            evidence=(share, *neighbour),
            hours=excess.amount,
            hours_low=excess.low,
            hours_high=excess.high,
            money_per_hour=per_hour,
        )
    ]


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
