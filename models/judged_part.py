"""One bundle, judged on rows that it has not seen, beside the baselines on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.plant import Plant
from models.assess import none_while_down
from models.assessment import Assessments, reason_counts
from models.baselines.calendar import calendar_cost, choose_calendar
from models.baselines.fixed_limit import choose_limit
from models.believed import BelievedTable
from models.bundle import Bundle
from models.early import Early
from models.evaluate import AssessedTime, EventVerdict, Verdict, judge
from models.ground import Rules
from models.label import label
from models.moment import instant, instants, is_over
from models.money import Money, cost, cost_of
from models.past import Past
from models.persistence import episodes


@dataclass(frozen=True, slots=True)
class Part:
    """What came out of one bundle.

    Attributes
    ----------
    calendar, limit : what the baselines chose, in words
    known_rows, positive_rows : assessments whose whole horizon was observed, and those of them that an event
        follows within it
    reasons : how many judged window ends had a level (ok) or why they had none
    """

    bundle: Bundle
    verdict: Verdict
    money: Money
    calendar: str
    limit: str
    known_rows: int
    positive_rows: int
    early: Early
    reasons: Mapping[str, int]


def judge_part(
    past: Past, bundle: Bundle, seen: FeatureTable, unseen: BelievedTable, learnt: Sequence[str], known: datetime
) -> Part:
    """Judge one bundle on rows that it has not seen.

    Parameters
    ----------
    seen, learnt, known : rows, machines and time that it was trained on
    """
    test = past.after_baseline(unseen.table)
    watched = past.watched(test)
    targets = past.targets_of(watched)
    assessments = none_while_down(unseen.assessed(bundle, test), past.failures)
    assessed = AssessedTime.of(assessments, bundle.recipe.stride, instant(past.newest))
    verdict = _verdict(past, assessments, targets, assessed)
    counted = _counted(verdict)
    costs = past.plant.costs
    before = past.targets[past.targets["machine"].isin(set(learnt)) & (past.targets["begin"] <= pd.Timestamp(known))]
    calendar = choose_calendar(before, past.learnt_spans(learnt, known), costs)
    rules = Rules.of(past.entry, past.plant, known)
    failures = past.failures[past.failures["begin"] <= pd.Timestamp(known)]
    limit = choose_limit(seen, before, failures, rules, costs)
    spent = None
    if limit is not None:
        limited = limit.assess(test)
        watched_by_limit = AssessedTime.of(limited, bundle.recipe.stride, instant(past.newest))
        spent = _cost_where(_verdict(past, limited, targets, watched_by_limit), counted, past.plant)
    new = {machine: instant(past.spans[machine][0]) for machine in watched}
    known_rows = ~np.isnan(assessments.level) & is_over(test.time, past.entry.horizon, instant(past.newest))
    outcomes = label(test.where(known_rows), past.targets, past.entry.horizon, past.newest)
    return Part(
        bundle=bundle,
        verdict=verdict,
        money=Money(
            model=cost_of(verdict, costs),
            do_nothing=cost(costs, found=0, missed=verdict.judged, false=0),
            calendar=calendar_cost(calendar, past.targets, counted, watched, new, costs),
            fixed_limit=spent,
        ),
        calendar=calendar.describe(),
        limit=limit.describe() if limit is not None else "no signal has a mean",
        known_rows=int((outcomes >= 0).sum()),
        positive_rows=int((outcomes == 1).sum()),
        early=Early.of(verdict, assessed, past.entry.horizon),
        reasons=reason_counts(assessments.reason),
    )


def _verdict(past: Past, assessments: Assessments, targets: pd.DataFrame, assessed: AssessedTime) -> Verdict:
    return judge(
        episodes(assessments, past.plant.alerts, past.failures),
        targets,
        horizon=past.entry.horizon,
        needed_lead=past.entry.needed_lead,
        assessed=assessed,
    )


def _counted(verdict: Verdict) -> pd.DataFrame:
    """Return the judged events as a table with ``machine`` and ``begin``."""
    events = [event for event in verdict.events if event.verdict != EventVerdict.NOT_JUDGED]
    begin = pd.to_datetime(pd.Series([event.begin for event in events], dtype="datetime64[us]"), utc=True)
    return pd.DataFrame({"machine": [event.machine for event in events], "begin": begin})


def _cost_where(verdict: Verdict, counted: pd.DataFrame, plant: Plant) -> float:
    """Return what a verdict costs on the events that count for the model."""
    events = set(zip(counted["machine"], instants(counted["begin"]), strict=True))
    found = sum(
        event.verdict == EventVerdict.FOUND and (event.machine, event.begin) in events for event in verdict.events
    )
    return cost(plant.costs, found=found, missed=len(events) - found, false=verdict.false)
