"""What a backtest found: figures for programs and plain words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from features.leaks.leak import Leak, told
from ingest.duration import format_duration
from models.assessment import not_assessed
from models.baselines.table import WORDS
from models.judging.early import Early
from models.judging.evaluate import WEEK, AlertVerdict, EventVerdict, Verdict
from models.judging.interval import Interval
from models.judging.missed import Miss
from models.judging.modes import modes
from models.judging.money import DO_NOTHING, MODEL, Money
from models.judging.money_curve import MoneyCurve
from models.judging.real_rate import RealRate
from models.judging.reliability import PROMISED, Reliability
from models.judging.traces import Trace
from models.judging.way import PooledWay
from models.registry.watermark import marked


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """The verdict on a model that replayed the past.

    Attributes
    ----------
    start, end : the judged span, (start, end]
    split : ``time``, ``machine`` or ``baseline``
    base_rate : share of assessments that an event follows within the horizon, of those whose whole
        horizon was observed; ``None`` when there is none
    thresholds : threshold of each bundle that was judged
    ways : every way to run the plant, the model first: its rule and what its alerts came to
    evidence : what may be claimed on the events of the training part
    early : false alarms that a longer horizon than ``horizon`` would count as right
    curve : what every other threshold would have cost; ``None`` where there is no level
    missed : why each event that was not found was not
    traces : levels before each event
    unshown : alerts that came and went between two looks at the machines, so that nobody saw them
    real_rate : how often events come, and how many alerts would be right then
    watermark : why the figures flatter; empty where nothing is known against them
    reasons : how many judged window ends had a level (ok) or why they had none, by ``Reason``
    reliability : how far the probabilities within each horizon can be taken at their word; empty where none is told
    leaks : features that know more than they could have known, see ``leak_check``
    seconds : how long the backtest took
    """

    model: str
    verdict: Verdict
    money: Money
    start: np.datetime64
    end: np.datetime64
    split: str
    base_rate: float | None
    thresholds: tuple[float, ...]
    ways: Mapping[str, PooledWay]
    curve: MoneyCurve | None
    missed: tuple[Miss, ...]
    traces: tuple[Trace, ...]
    unshown: int
    real_rate: RealRate
    evidence: str
    currency: str
    horizon: timedelta
    early: Early
    reasons: Mapping[str, int]
    reliability: tuple[Reliability, ...]
    leaks: tuple[Leak, ...]
    seconds: float
    watermark: str = ""

    @property
    def enough(self) -> bool:
        """Whether one horizon or more was judged, over all machines: less says nothing."""
        return self.verdict.machine_weeks * WEEK >= self.horizon

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON types."""
        verdict = self.verdict
        median, tenth = verdict.lead_hours
        of_median, of_tenth = verdict.lead_intervals
        return {
            "model": self.model,
            "events": verdict.judged,
            "found": verdict.found,
            "recall": verdict.recall.to_dict(),
            "lead_hours": {"median": median, "p10": tenth},
            "early_enough": verdict.early_enough,
            "false_alarms_per_machine_week": verdict.false_alarms_per_machine_week.to_dict(),
            "precision": verdict.precision.to_dict(),
            "money": self.money.to_dict(),
            "machine_weeks": verdict.machine_weeks,
            "seconds": self.seconds,
            "enough": self.enough,
            "watermark": self.watermark,
            "lead_intervals": {"median": _bounds(of_median), "p10": _bounds(of_tenth)},
            "saved": self.money.savings(),
            "share_of_possible_saving": self.money.share_of_possible,
            "real_rate": self.real_rate.to_dict(verdict),
            "by_mode": [each.to_dict() for each in modes(verdict)],
            "missed": [each.to_dict() for each in self.missed],
            "unshown_alerts": self.unshown,
            "money_curve": None if self.curve is None else self.curve.to_dict(),
            "horizon_hours": self.horizon / timedelta(hours=1),
            "late": verdict.events_that_are(EventVerdict.LATE),
            "not_judged": verdict.events_that_are(EventVerdict.NOT_JUDGED),
            "right_alerts": verdict.right,
            "right_once": verdict.right_once,
            "false_alarms": verdict.false,
            "early_alerts": {
                "count": len(self.early.ahead),
                "by_chance": self.early.by_chance,
                "longest_hours": max((each / timedelta(hours=1) for each in self.early.ahead), default=None),
            },
            "open_alerts": verdict.alerts_that_are(AlertVerdict.OPEN),
            "reasons": dict(self.reasons),
            "reliability": [each.to_dict() for each in self.reliability],
            "leaks": [leak.to_dict() for leak in self.leaks],
            "base_rate": self.base_rate,
            "threshold": list(self.thresholds),
            "span": {"start": _moment(self.start), "end": _moment(self.end)},
            "split": self.split,
            "baselines": {name: list(way.rules) for name, way in self.ways.items() if way.rules},
            "alerts_without_model": {
                name: said for name, way in self.ways.items() if name != MODEL and (said := way.to_dict())
            },
            "evidence": self.evidence,
            "currency": self.currency,
            "alerts": [
                {
                    "machine": alert.machine,
                    "begin": _moment(alert.begin),
                    "end": None if alert.end is None else _moment(alert.end),
                    "verdict": alert.verdict.value,
                    "event": None if alert.event is None else _moment(alert.event),
                }
                for alert in verdict.alerts
            ],
            "event_list": [
                {
                    "machine": event.machine,
                    "begin": _moment(event.begin),
                    "verdict": event.verdict.value,
                    "lead_hours": event.lead_hours,
                    "needed_hours": event.needed_hours,
                    "mode": event.mode,
                }
                for event in verdict.events
            ],
        }

    def summary(self) -> str:
        """Say in a few plain sentences what the model would have done, and what it would have saved."""
        return " ".join(
            [
                *self._marked(),
                *self._leaked(),
                *self._doubt(),
                self._alerts(),
                *self._unsaid(),
                *self._events(),
                *self._unreliable(),
                self._money(),
            ]
        )

    def _marked(self) -> list[str]:
        return [marked(self.watermark)] if self.watermark else []

    def _leaked(self) -> list[str]:
        refused = told(leak for leak in self.leaks if leak.refused)
        if not refused:
            return []
        return [
            f"{self.model} may know the outcome beforehand, and then none of this holds: {'; also '.join(refused)}."
        ]

    def _doubt(self) -> list[str]:
        if self.enough:
            return []
        judged = self.verdict.machine_weeks * WEEK / timedelta(hours=1)
        return [
            f"Almost nothing was judged: {judged:.3g} hours of assessments whose horizon of"
            f" {format_duration(self.horizon)} is over, which is less than one horizon; the figures say nothing."
        ]

    def _alerts(self) -> str:
        verdict = self.verdict
        kinds = [f"{verdict.right} right", f"{verdict.false} false"]
        if late := verdict.alerts_that_are(AlertVerdict.LATE):
            kinds.append(f"{late} too late")
        if recent := verdict.alerts_that_are(AlertVerdict.OPEN):
            kinds.append(f"{recent} too recent to judge")
        rate = verdict.false_alarms_per_machine_week
        often = "" if rate.value is None else f", {rate.value:.2g} false alarms per machine-week"
        count = len(verdict.alerts)
        return (
            f"{self.model} would have raised {count} alert{'' if count == 1 else 's'} between {_day(self.start)}"
            f" and {_day(self.end)}: {', '.join(kinds)}{often}."
        )

    def _unsaid(self) -> list[str]:
        said = not_assessed(self.reasons)
        return [said] if said else []

    def _events(self) -> list[str]:
        verdict = self.verdict
        median, tenth = verdict.lead_hours
        said = [f"It found {verdict.found} of {verdict.judged} events, {verdict.recall.percent()}."]
        if median is not None and tenth is not None:
            of_median, of_tenth = verdict.lead_intervals
            said.append(
                f"Lead: median {median:.3g} h {_span(of_median)},"
                f" nine in ten longer than {tenth:.3g} h {_span(of_tenth)}."
            )
        if hint := self.early.sentence(self.horizon):
            said.append(hint)
        if left_out := verdict.events_that_are(EventVerdict.NOT_JUDGED):
            said.append(f"{left_out} could not be judged: the machine was not assessed before.")
        return said

    def _unreliable(self) -> list[str]:
        """Warn of horizons whose probabilities were not kept; those that were go without saying."""
        off = [(each.horizon, each.error) for each in self.reliability if each.error and each.error > PROMISED]
        if not off:
            return []
        said = ", ".join(f"within {horizon} by {error:.2g}" for horizon, error in off)
        return [f"Its probabilities are off by more than {PROMISED:g} on average ({said}): do not take them literally."]

    def _money(self) -> str:
        money, currency = self.money, self.currency
        verb = "saved" if money.saved >= 0 else "lost"
        said = f"It would have {verb} {abs(money.saved):,.0f} {currency} against doing nothing"
        against = money.saved_against(DO_NOTHING)
        said += f" {_span(against, 1)}" if against is not None else ""
        others = [f"{WORDS[way]} {amount:,.0f}" for way, amount in money.others.items() if way != DO_NOTHING]
        said += f" (cost {money.model:,.0f}; nothing {money.do_nothing:,.0f}"
        said += f"; {'; '.join(others)})." if others else ")."
        if not self.verdict.judged:
            return said
        if money.model >= money.best_baseline:
            return said + " That is no better than the best way without it."
        best = money.saved_against(money.best_way)
        if best is not None and best.low <= 0:
            said += f" It saved {best.value:,.0f} {_span(best, 1)} against {WORDS[money.best_way]}, which may be luck."
        return said


def _bounds(interval: Interval) -> dict[str, float | None] | None:
    return None if interval.value is None else interval.to_dict()


def _span(interval: Interval, digits: int = 3) -> str:
    """Write the bounds of an interval: amounts in full, others with so many digits."""
    low, high = (f"{each:,.0f}" if digits == 1 else f"{each:.{digits}g}" for each in (interval.low, interval.high))
    return f"[{low}–{high}]" if interval.low >= 0 else f"[{low} to {high}]"


def _moment(moment: np.datetime64) -> str:
    return f"{np.datetime_as_string(moment, unit='s')}Z"


def _day(moment: np.datetime64) -> str:
    return str(np.datetime_as_string(moment, unit="D"))
