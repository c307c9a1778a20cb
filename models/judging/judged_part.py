"""One bundle, judged on rows that it has not seen, beside the baselines on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.duration import format_duration
from models.assess import none_while_down, probabilities_within
from models.assessment import Assessments, reason_counts
from models.baselines.calendar import Spans, calendar_charges, choose_calendar
from models.baselines.rule import Rule, Seen
from models.baselines.table import CANNOT, RULES
from models.believed import BelievedTable
from models.bundle import Bundle
from models.declared import declared_limits
from models.judging.early import Early
from models.judging.evaluate import AssessedTime, Verdict, judge
from models.judging.ground import Ground, Rules
from models.judging.missed import Miss, misses
from models.judging.money import CALENDAR, DO_NOTHING, MODEL, Charge, charges_of, counted_events
from models.judging.money_curve import Judged
from models.judging.past import Past
from models.judging.reliability import Outcomes
from models.judging.rounds import shown_at
from models.judging.traces import Trace, traces
from models.judging.way import Way
from models.labels.label import label
from models.moment import instant, is_over
from models.subject import alerts_of
from models.tasks.table import task_of


@dataclass(frozen=True, slots=True)
class Part:
    """What came out of one bundle.

    Attributes
    ----------
    ways : the model, and every way to run the plant without it
    counted : judged events, with ``machine`` and ``begin``
    machines : those that were judged
    known_rows, positive_rows : assessments whose whole horizon was observed, and those of them that an event
        follows within it
    judged : levels, and where alerts would have been right, to try other thresholds on
    outcomes : what was said within each horizon and what came of it; empty for a model that tells no probability
    reasons : how many judged window ends had a level (ok) or why they had none
    unshown : alerts that came and went between two rounds
    """

    bundle: Bundle
    verdict: Verdict
    ways: Mapping[str, Way]
    counted: pd.DataFrame
    machines: tuple[str, ...]
    known_rows: int
    positive_rows: int
    judged: Judged
    early: Early
    outcomes: tuple[Outcomes, ...]
    reasons: Mapping[str, int]
    missed: Sequence[Miss]
    traces: Sequence[Trace]
    unshown: int


def judge_part(
    past: Past,
    bundle: Bundle,
    seen: FeatureTable,
    unseen: BelievedTable,
    learnt: Sequence[str],
    known: datetime,
    *,
    said: Assessments | None = None,
) -> Part:
    """Judge one bundle on rows that it has not seen.

    Parameters
    ----------
    seen, learnt, known : rows, machines and time that it was trained on
    said : what was said of the rows, none of them in the time of a machine's own normal, where it was not this
        bundle alone that said it
    """
    test = past.after_baseline(unseen.table)
    watched = past.watched(test)
    targets = past.targets_of(watched)
    assessments = none_while_down(unseen.assessed(bundle, test) if said is None else said, past.failures)
    assessed = AssessedTime.of(assessments, bundle.recipe.stride, instant(past.newest))
    verdict, unshown = _verdict(past, assessments, targets, assessed)
    counted = counted_events(verdict)
    valued = ~np.isnan(assessments.level)
    known_rows = valued & is_over(test.time, past.entry.horizon, instant(past.newest))
    outcomes = label(test.where(known_rows), past.targets, past.entry.horizon, past.newest)
    return Part(
        bundle=bundle,
        verdict=verdict,
        ways={
            MODEL: Way("", charges_of(verdict, past.plant.costs, counted), verdict),
            DO_NOTHING: Way("no alert, no stop", _all_missed(past, counted)),
            **_without_model(past, bundle, seen, test, learnt, known, watched, counted),
        },
        counted=counted,
        machines=tuple(watched),
        known_rows=int((outcomes >= 0).sum()),
        positive_rows=int((outcomes == 1).sum()),
        judged=Judged(
            _raised_by(assessments)[valued],
            Ground.of(
                assessments.machine[valued],
                assessments.time[valued],
                targets,
                past.failures,
                Rules.of(past.entry, past.plant, past.newest),
            ),
        ),
        early=Early.of(verdict, assessed, past.entry.horizon),
        outcomes=_outcomes(past, bundle, test, assessments) if task_of(past.entry).tells_probability else (),
        reasons=reason_counts(assessments.reason),
        missed=misses(verdict, assessments, past.entry.horizon, past.plant.alerts.on_delay),
        traces=traces(verdict, assessments, past.entry.horizon),
        unshown=unshown,
    )


def _raised_by(said: Assessments) -> NDArray[np.float64]:
    """Return up to which threshold each level would have raised an alert: what was doubted would at lower ones only."""
    doubted = (said.level >= said.threshold) & ~said.over
    return np.where(doubted, np.nextafter(said.threshold, 0.0), said.level)


def _without_model(
    past: Past,
    bundle: Bundle,
    seen: FeatureTable,
    test: FeatureTable,
    learnt: Sequence[str],
    known: datetime,
    watched: Spans,
    counted: pd.DataFrame,
) -> dict[str, Way]:
    """Return what every baseline would have cost; each is chosen on what the bundle was trained on."""
    costs, machine_class = past.plant.costs, past.plant.class_named(past.entry.machine_class)
    before = past.targets[past.targets["machine"].isin(set(learnt)) & (past.targets["begin"] <= pd.Timestamp(known))]
    calendar = choose_calendar(before, past.learnt_spans(learnt, known), costs)
    new = {machine: instant(past.spans[machine][0]) for machine in watched}
    declared = declared_limits(machine_class)
    rows = Seen(
        table=seen,
        targets=before,
        failures=past.failures[past.failures["begin"] <= pd.Timestamp(known)],
        rules=Rules.of(past.entry, past.plant, known),
        costs=costs,
        declared={name: each.limits for name, each in declared.items()},
        provenance={name: each.provenance for name, each in declared.items()},
    )
    ways = {CALENDAR: Way(calendar.describe(), calendar_charges(calendar, past.targets, counted, watched, new, costs))}
    for name, choose in RULES.items():
        rule = choose(rows)
        ways[name] = Way(CANNOT[name], None) if rule is None else _by_rule(past, bundle, rule, test, watched, counted)
    return ways


def _by_rule(past: Past, bundle: Bundle, rule: Rule, test: FeatureTable, watched: Spans, counted: pd.DataFrame) -> Way:
    said = rule.assess(test)
    looked = AssessedTime.of(said, bundle.recipe.stride, instant(past.newest))
    verdict, _ = _verdict(past, said, past.targets_of(watched), looked)
    return Way(rule.describe(), charges_of(verdict, past.plant.costs, counted), verdict)


def _all_missed(past: Past, counted: pd.DataFrame) -> list[Charge]:
    nothing = Verdict((), (), 0.0)
    return charges_of(nothing, past.plant.costs, counted)


def _outcomes(past: Past, bundle: Bundle, test: FeatureTable, said: Assessments) -> tuple[Outcomes, ...]:
    """Return what the bundle said within each of its horizons, and what came."""
    newest = instant(past.newest)
    columns = probabilities_within(bundle, test, said.level)
    return tuple(
        Outcomes.of(
            format_duration(horizon),
            column,
            label(test, past.targets, horizon, past.newest),
            is_over(test.time, horizon, newest),
        )
        for horizon, column in columns.items()
    )


def _verdict(
    past: Past, assessments: Assessments, targets: pd.DataFrame, assessed: AssessedTime
) -> tuple[Verdict, int]:
    """Return the verdict on what people would have been shown, and how many alerts they would not."""
    raised = alerts_of(assessments, past.plant.alerts, past.failures)
    shown = raised if past.rounds is None else shown_at(raised, past.rounds, assessments)
    verdict = judge(
        shown,
        targets,
        horizon=past.entry.horizon,
        needed_lead=past.entry.needed_lead,
        needed_leads=past.entry.needed_leads,
        assessed=assessed,
    )
    return verdict, len(raised) - len(shown)
