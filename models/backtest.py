"""Replay the past: what a model would have said, and what that would have been worth."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from features.extract import extract, sampling_interval
from features.recipe import Recipe, recipe_for
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import ModelEntry, Plant, Target
from ingest.store import History
from models.assess import assess_table
from models.assessment import Assessments
from models.backtest_report import BacktestReport
from models.baselines.calendar import Spans, calendar_cost, choose_calendar
from models.baselines.fixed_limit import choose_limit
from models.bundle import Bundle
from models.evaluate import AssessedTime, EventVerdict, Verdict, judge, pooled
from models.ground import Rules
from models.label import label, target_events
from models.moment import instant, instants, span
from models.money import Money, cost, cost_of
from models.persistence import episodes
from models.rows import machine_rows
from models.split import MOST_FOLDS, machine_folds
from models.sufficiency import sufficiency
from models.train import fit_bundle

TRAINING_SHARE = 0.6

Progress = Callable[[str, int, int], None]


def backtest(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
    timer: Callable[[], float] = time.perf_counter,
) -> BacktestReport:
    """Train on one part of the history, replay the other, and judge every alert by what then happened.

    By time: the model is the one that would have been trained at ``start``, with what was known
    then: a row whose outcome lies past ``start`` is not learnt from, which keeps a gap of one horizon.
    It then assesses (start, end]. By machine: every machine is assessed by a model that has never
    seen it. Windows are causal, so this is what a replay day by day gives, only faster.

    Parameters
    ----------
    start : begin of the judged span; the entry's ``train_until``, otherwise at 60 % of the readings
        (by machine: the first reading)
    end : its end; the newest reading when left out. Events after it are used to judge, if known.
    progress : called with a phase, how many of its steps are done, and how many there are
    timer : tells seconds

    Raises
    ------
    NotEnoughDataError
        When one of the two parts is empty or there is nothing to learn from.
    """
    began = timer()
    entry = entry.model_copy(update={"split": split_of(plant, entry)})
    past = _Past.of(plant, history, entry, start, end)
    report = progress or _silent
    parts = past.by_machine(report) if entry.split == "machine" else past.by_time(report)
    verdict = pooled([part.verdict for part in parts])
    assessed, positive = sum(part.known_rows for part in parts), sum(part.positive_rows for part in parts)
    return BacktestReport(
        model=entry.name,
        verdict=verdict,
        money=_summed([part.money for part in parts]),
        start=instant(past.start),
        end=instant(past.end),
        split=str(entry.split),
        base_rate=positive / assessed if assessed else None,
        thresholds=tuple(part.bundle.threshold for part in parts),
        baselines={
            "calendar": tuple(dict.fromkeys(part.calendar for part in parts)),
            "fixed_limit": tuple(dict.fromkeys(part.limit for part in parts)),
        },
        evidence=past.evidence,
        currency=plant.currency,
        seconds=timer() - began,
    )


def split_of(plant: Plant, entry: ModelEntry) -> Literal["time", "machine"]:
    """Return how training and judging are kept apart: as the entry says, or as its sources suggest."""
    if entry.split is not None:
        return entry.split
    return "machine" if any(source.run_to_failure for source in plant.sources) else "time"


def recipe_until(plant: Plant, history: History, entry: ModelEntry, until: datetime) -> Recipe:
    """Return the recipe that is made of an entry when nothing after ``until`` is known."""
    machine_class = plant.class_named(entry.machine_class)
    errors = history.events(machines=plant.machines_of(machine_class.name), kinds=["error"], end=until)
    return recipe_for(
        entry,
        machine_class,
        sampling=sampling_interval(history, machine_class, until=until),
        error_codes=sorted(set(errors["code"])),
        from_new=any(source.run_to_failure for source in plant.sources),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One judged part of the history."""

    bundle: Bundle
    verdict: Verdict
    money: Money
    calendar: str
    limit: str
    known_rows: int
    positive_rows: int


@dataclass(frozen=True, slots=True)
class _Past:
    """The history of a class as a backtest sees it."""

    plant: Plant
    history: History
    entry: ModelEntry
    machines: tuple[str, ...]
    spans: dict[str, tuple[datetime, datetime]]
    events: pd.DataFrame
    targets: pd.DataFrame
    failures: pd.DataFrame
    start: datetime
    end: datetime
    newest: datetime
    evidence: str

    @classmethod
    def of(
        cls, plant: Plant, history: History, entry: ModelEntry, start: datetime | None, end: datetime | None
    ) -> "_Past":
        spans = history.spans(entry.machine_class)
        machines = tuple(each for each in plant.machines_of(entry.machine_class) if each in spans)
        if not machines:
            raise NotEnoughDataError(
                f"model '{entry.name}': no readings of class '{entry.machine_class}'; ingest its files first"
            )
        first, newest = min(spans[each][0] for each in machines), max(spans[each][1] for each in machines)
        by_time = entry.split == "time"
        end = end or newest
        start = start or (_cut(entry, first, newest) if by_time else first - timedelta(microseconds=1))
        if start >= end or (by_time and start <= first) or start >= newest:
            raise NotEnoughDataError(
                f"model '{entry.name}': nothing to judge from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M};"
                f" readings reach from {first:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M}, and some must come before"
            )
        events = history.events(machines=machines)
        targets = target_events(events, entry.target)
        learnt = start if by_time else end
        evidence = sufficiency(entry, targets, spans, learnt).claim
        failures = target_events(events, Target())
        return cls(
            plant, history, entry, machines, spans, events, targets, failures, start, end, max(newest, end), evidence
        )

    def by_time(self, report: Progress) -> list[_Part]:
        first = min(self.spans[each][0] for each in self.machines) - timedelta(microseconds=1)
        report("features of the training part", 0, 4)
        recipe = recipe_until(self.plant, self.history, self.entry, self.start)
        table = extract(recipe, self.history, self.machines, first, self.start)
        report("training", 1, 4)
        bundle = self._fitted(recipe, table, self.machines, self.start)
        report("features of the judged part", 2, 4)
        test = extract(recipe, self.history, self.machines, self.start, self.end)
        report("judging", 3, 4)
        part = self._judged(bundle, table, test, self.machines, self.start)
        report("judging", 4, 4)
        return [part]

    def by_machine(self, report: Progress) -> list[_Part]:
        first = min(self.spans[each][0] for each in self.machines) - timedelta(microseconds=1)
        report("features", 0, MOST_FOLDS)
        recipe = recipe_until(self.plant, self.history, self.entry, self.end)
        table = extract(recipe, self.history, self.machines, first, self.end)
        folds = machine_folds(table, self.targets, MOST_FOLDS)
        if not folds:
            raise NotEnoughDataError(
                f"model '{self.entry.name}': a backtest by machine needs readings of two machines or more;"
                ' write split = "time" in its entry'
            )
        parts = []
        for number, fold in enumerate(folds):
            report("training and judging by machine", number, len(folds))
            seen, unseen = table.where(fold.train), table.where(fold.test)
            learnt = tuple(machine_rows(seen.machine))
            bundle = self._fitted(recipe, seen, learnt, self.end)
            unseen = unseen.where((unseen.time > instant(self.start)) & (unseen.time <= instant(self.end)))
            parts.append(self._judged(bundle, seen, unseen, learnt, self.end))
        report("training and judging by machine", len(folds), len(folds))
        return parts

    def _fitted(self, recipe: Recipe, table: FeatureTable, machines: Sequence[str], known: datetime) -> Bundle:
        before = self.events[(self.events["time"] <= pd.Timestamp(known)) & self.events["machine"].isin(set(machines))]
        return fit_bundle(self.entry, self.plant, recipe, table, before.reset_index(drop=True), known)

    def _judged(
        self, bundle: Bundle, seen: FeatureTable, test: FeatureTable, learnt: Sequence[str], known: datetime
    ) -> _Part:
        """Judge one bundle on rows that it has not seen.

        Parameters
        ----------
        seen, learnt, known : rows, machines and time that it was trained on
        """
        test = self._after_baseline(test)
        watched = self._watched(test)
        targets = self._targets_of(watched)
        assessments = assess_table(bundle, test)
        verdict = self._verdict(assessments, targets, bundle)
        counted = _counted(verdict)
        costs = self.plant.costs
        before = self.targets[
            self.targets["machine"].isin(set(learnt)) & (self.targets["begin"] <= pd.Timestamp(known))
        ]
        calendar = choose_calendar(before, self._learnt_spans(learnt, known), costs)
        rules = Rules(
            alerts=self.plant.alerts,
            horizon=self.entry.horizon,
            needed_lead=self.entry.needed_lead,
            known_until=known,
        )
        failures = self.failures[self.failures["begin"] <= pd.Timestamp(known)]
        limit = choose_limit(seen, before, failures, rules, costs)
        spent = None
        if limit is not None:
            spent = _cost_where(self._verdict(limit.assess(test), targets, bundle), counted, self.plant)
        new = {machine: instant(self.spans[machine][0]) for machine in watched}
        outcomes = label(test.where(~np.isnan(assessments.level)), self.targets, self.entry.horizon, self.newest)
        return _Part(
            bundle=bundle,
            verdict=verdict,
            money=Money(
                model=cost_of(verdict, costs),
                do_nothing=cost(costs, found=0, missed=verdict.judged, false=0),
                calendar=calendar_cost(calendar, self.targets, counted, watched, new, costs),
                fixed_limit=spent,
            ),
            calendar=calendar.describe(),
            limit=limit.describe() if limit is not None else "no signal has a mean",
            known_rows=int((outcomes >= 0).sum()),
            positive_rows=int((outcomes == 1).sum()),
        )

    def _verdict(self, assessments: Assessments, targets: pd.DataFrame, bundle: Bundle) -> Verdict:
        return judge(
            episodes(assessments, self.plant.alerts, self.failures),
            targets,
            horizon=self.entry.horizon,
            needed_lead=self.entry.needed_lead,
            assessed=AssessedTime.of(assessments, bundle.recipe.stride, instant(self.newest)),
        )

    def _after_baseline(self, test: FeatureTable) -> FeatureTable:
        """Leave out the time that a machine's own normal was learnt from."""
        if self.entry.baseline is None:
            return test
        own = np.ones(len(test), dtype=bool)
        for machine, rows in machine_rows(test.machine).items():
            own[rows] = test.time[rows] > instant(self.spans[machine][0] + self.entry.baseline)
        return test.where(own)

    def _watched(self, test: FeatureTable) -> Spans:
        """Return the judged span of each machine that has rows."""
        start, end = instant(self.start), instant(self.end)
        watched = {}
        for machine in machine_rows(test.machine):
            first, newest = (instant(moment) for moment in self.spans[machine])
            if self.entry.baseline is not None:
                first = first + span(self.entry.baseline)
            watched[machine] = (max(first, start), min(newest, end))
        return watched

    def _targets_of(self, watched: Spans) -> pd.DataFrame:
        """Return the events of watched machines about which an alert in the judged span could be."""
        begin, end = instants(self.targets["begin"]), instants(self.targets["end"])
        inside = (end > instant(self.start)) & (begin - span(self.entry.horizon) <= instant(self.end))
        for row, machine in enumerate(self.targets["machine"]):
            inside[row] &= machine in watched and end[row] > watched[machine][0]
        return self.targets[inside].reset_index(drop=True)

    def _learnt_spans(self, learnt: Sequence[str], known: datetime) -> Spans:
        spans = {each: (instant(self.spans[each][0]), instant(min(self.spans[each][1], known))) for each in learnt}
        return {machine: (first, last) for machine, (first, last) in spans.items() if first < last}


def _cut(entry: ModelEntry, first: datetime, newest: datetime) -> datetime:
    return entry.train_until or first + TRAINING_SHARE * (newest - first)


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


def _summed(parts: Sequence[Money]) -> Money:
    limits = [part.fixed_limit for part in parts]
    return Money(
        model=sum(part.model for part in parts),
        do_nothing=sum(part.do_nothing for part in parts),
        calendar=sum(part.calendar or 0.0 for part in parts),
        fixed_limit=None if None in limits else sum(limit or 0.0 for limit in limits),
    )


def _silent(phase: str, done: int, total: int) -> None:
    del phase, done, total
