"""What a backtest found: figures for programs and plain words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from features.leaks.leak import Leak, told
from ingest.duration import format_duration
from models.assessment import not_assessed
from models.early import Early
from models.evaluate import WEEK, AlertVerdict, EventVerdict, Verdict
from models.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """The verdict on a model that replayed the past.

    Attributes
    ----------
    start, end : the judged span, (start, end]
    split : ``time`` or ``machine``
    base_rate : share of assessments that an event follows within the horizon, of those whose whole
        horizon was observed; ``None`` when there is none
    thresholds : threshold of each bundle that was judged
    baselines : the rules that the calendar and the fixed limit chose, in words
    evidence : what may be claimed on the events of the training part
    early : false alarms that a longer horizon than ``horizon`` would count as right
    reasons : how many judged window ends had a level (ok) or why they had none, by ``Reason``
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
    baselines: Mapping[str, tuple[str, ...]]
    evidence: str
    currency: str
    horizon: timedelta
    early: Early
    reasons: Mapping[str, int]
    leaks: tuple[Leak, ...]
    seconds: float

    @property
    def enough(self) -> bool:
        """Whether one horizon or more was judged, over all machines: less says nothing."""
        return self.verdict.machine_weeks * WEEK >= self.horizon

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON types."""
        verdict = self.verdict
        median, tenth = verdict.lead_hours
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
            "late": verdict.events_that_are(EventVerdict.LATE),
            "not_judged": verdict.events_that_are(EventVerdict.NOT_JUDGED),
            "right_alerts": verdict.right,
            "false_alarms": verdict.false,
            "early_alerts": {
                "count": len(self.early.ahead),
                "by_chance": self.early.by_chance,
                "longest_hours": max((each / timedelta(hours=1) for each in self.early.ahead), default=None),
            },
            "open_alerts": verdict.alerts_that_are(AlertVerdict.OPEN),
            "reasons": dict(self.reasons),
            "leaks": [leak.to_dict() for leak in self.leaks],
            "base_rate": self.base_rate,
            "threshold": list(self.thresholds),
            "span": {"start": _moment(self.start), "end": _moment(self.end)},
            "split": self.split,
            "baselines": {name: list(rules) for name, rules in self.baselines.items()},
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
                }
                for event in verdict.events
            ],
        }

    def summary(self) -> str:
        """Say in a few plain sentences what the model would have done, and what it would have saved."""
        return " ".join(
            [*self._leaked(), *self._doubt(), self._alerts(), *self._unsaid(), *self._events(), self._money()]
        )

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
            said.append(f"Lead: median {median:.3g} h, nine in ten longer than {tenth:.3g} h.")
        if hint := self.early.sentence(self.horizon):
            said.append(hint)
        if left_out := verdict.events_that_are(EventVerdict.NOT_JUDGED):
            said.append(f"{left_out} could not be judged: the machine was not assessed before.")
        return said

    def _money(self) -> str:
        money, currency = self.money, self.currency
        verb = "saved" if money.saved >= 0 else "lost"
        said = f"It would have {verb} {abs(money.saved):,.0f} {currency} against doing nothing"
        others = [
            f"{name} {amount:,.0f}"
            for name, amount in (("calendar", money.calendar), ("a fixed limit", money.fixed_limit))
            if amount is not None
        ]
        said += f" (cost {money.model:,.0f}; nothing {money.do_nothing:,.0f}"
        said += f"; {'; '.join(others)})." if others else ")."
        if self.verdict.judged and money.model >= money.best_baseline:
            said += " That is no better than the best way without it."
        return said


def _moment(moment: np.datetime64) -> str:
    return f"{np.datetime_as_string(moment, unit='s')}Z"


def _day(moment: np.datetime64) -> str:
    return str(np.datetime_as_string(moment, unit="D"))
