"""Replay the past: what a model would have said, and what that would have been worth."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from features.leaks.leak import Leak
from features.recipe import Recipe
from features.recipe_for import REFERRED, recipe_for
from features.sampling import signal_intervals
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Costs, ModelEntry, Plant
from models.anywhere.table import table_anywhere
from models.believed import BelievedTable
from models.bundle import Bundle
from models.context.reference import reference_of
from models.engine.engine import HERE, Engine
from models.fit import fit_bundle
from models.judging.backtest_report import BacktestReport
from models.judging.early import Early
from models.judging.evaluate import pooled
from models.judging.judged_part import Part, judge_part
from models.judging.money import Charge, Money, cost
from models.judging.money_curve import MoneyCurve
from models.judging.past import Past
from models.judging.real_rate import real_rate
from models.judging.reliability import reliabilities
from models.judging.split import MOST_FOLDS, machine_folds, random_folds
from models.judging.way import PooledWay
from models.leak_check import check_leaks
from models.moment import instant
from models.registry.watermark import RANDOM
from models.rows import machine_rows

Progress = Callable[[str, int, int], None]


def backtest(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    rounds: Sequence[datetime] | None = None,
    random_split: bool = False,
    progress: Progress | None = None,
    timer: Callable[[], float] = time.perf_counter,
    engine: Engine = HERE,
) -> BacktestReport:
    """Train on one part of the history, replay the other, and judge every alert by what then happened.

    By time: the model is the one that would have been trained at ``start``, with what was known
    then: a row whose outcome lies past ``start`` is not learnt from, which keeps a gap of one horizon.
    It then assesses (start, end]. By machine: every machine is assessed by a model that has never
    seen it. By baseline: by a model that has seen the first ``baseline`` of this machine alone. Windows
    are causal, so this is what a replay day by day gives, only faster.

    Parameters
    ----------
    start : begin of the judged span; the entry's ``train_until``, otherwise where 60 % of the
        hours that hold readings have passed (by machine: the first reading)
    end : its end; the newest reading when left out. Events after it are used to judge, if known.
    rounds : moments at which machines would have been looked at, ascending: an alert that comes and goes between
        two of them is shown to nobody, and the others are shown at the next one; the end of every window when left
        out
    random_split : judge windows by models that learnt from the windows beside them, drawn at random. That flatters, is
        of use only to show by how much, and marks the report
    progress : called with a phase, how many of its steps are done, and how many there are
    timer : tells seconds
    engine : where features are made

    Raises
    ------
    NotEnoughDataError
        When one of the two parts is empty or there is nothing to learn from.
    """
    began = timer()
    entry = entry.model_copy(update={"split": split_of(plant, entry)})
    past = Past.of(plant, history, entry, start, end, rounds)
    report = progress or _silent
    how = _at_random if random_split else _SPLITS[str(entry.split)]
    parts, leaks = how(past, report, engine)
    assessed, positive = sum(part.known_rows for part in parts), sum(part.positive_rows for part in parts)
    thresholds = tuple(part.bundle.threshold for part in parts)
    return BacktestReport(
        model=entry.name,
        verdict=pooled([part.verdict for part in parts]),
        money=_money(plant.costs, parts),
        start=instant(past.start),
        end=instant(past.end),
        split="random" if random_split else str(entry.split),
        base_rate=positive / assessed if assessed else None,
        thresholds=thresholds,
        ways={name: PooledWay.of([part.ways[name] for part in parts]) for name in parts[0].ways},
        curve=MoneyCurve.of([part.judged for part in parts], plant.costs, thresholds),
        missed=tuple(miss for part in parts for miss in part.missed),
        traces=tuple(trace for part in parts for trace in part.traces),
        unshown=sum(part.unshown for part in parts),
        real_rate=real_rate(past, entry.events_per_machine_year),
        evidence=past.evidence,
        currency=plant.currency,
        horizon=entry.horizon,
        early=Early.together(part.early for part in parts),
        reasons=dict(sum((Counter(part.reasons) for part in parts), Counter())),
        reliability=reliabilities([part.outcomes for part in parts]),
        leaks=leaks,
        watermark=RANDOM if random_split else "",
        seconds=timer() - began,
    )


def fitted_at(
    plant: Plant, history: History, entry: ModelEntry, start: datetime | None = None, end: datetime | None = None
) -> Bundle:
    """Return the bundle that a backtest by time judges: the one that would have been trained at its start.

    Parameters
    ----------
    start, end : as ``backtest`` takes them
    """
    past = Past.of(plant, history, entry.model_copy(update={"split": "time"}), start, end)
    recipe = recipe_until(plant, history, past.entry, past.start)
    table = _believed(past, recipe, _before_all(past), past.start, HERE).table
    return _fitted(past, recipe, table, past.machines, past.start)


def split_of(plant: Plant, entry: ModelEntry) -> Literal["time", "machine", "baseline"]:
    """Return how training and judging are kept apart: as the entry says, or as its sources suggest."""
    if entry.split == "time" or entry.split == "machine" or entry.split == "baseline":
        return entry.split
    return "machine" if any(source.run_to_failure for source in plant.sources) else "time"


def recipe_until(plant: Plant, history: History, entry: ModelEntry, until: datetime) -> Recipe:
    """Return the recipe that is made of an entry when nothing after ``until`` is known."""
    machine_class = plant.class_named(entry.machine_class)
    machines = plant.teachers_of(machine_class.name)
    errors = history.events(machines=machines, kinds=["error"], end=until)
    sampling = signal_intervals(history, machine_class, until=until)
    reference = None
    if entry.task in REFERRED:
        reference = reference_of(machine_class, history, machines, until, sampling=sampling)
    return recipe_for(
        entry,
        machine_class,
        sampling=sampling,
        error_codes=sorted(set(errors["code"])),
        from_new=any(source.run_to_failure for source in plant.sources),
        reference=reference,
    )


def _by_time(past: Past, report: Progress, engine: Engine) -> tuple[list[Part], tuple[Leak, ...]]:
    report("features of the training part", 0, 4)
    recipe = recipe_until(past.plant, past.history, past.entry, past.start)
    table = _believed(past, recipe, _before_all(past), past.start, engine).table
    leaks = check_leaks(past.entry, recipe, table, past.events, past.start)
    report("training", 1, 4)
    bundle = _fitted(past, recipe, table, past.machines, past.start)
    report("features of the judged part", 2, 4)
    test = _believed(past, recipe, past.start, past.end, engine)
    report("judging", 3, 4)
    part = judge_part(past, bundle, table, test, past.machines, past.start)
    report("judging", 4, 4)
    return [part], leaks


def _by_machine(past: Past, report: Progress, engine: Engine) -> tuple[list[Part], tuple[Leak, ...]]:
    report("features", 0, MOST_FOLDS)
    recipe = recipe_until(past.plant, past.history, past.entry, past.end)
    whole = _believed(past, recipe, _before_all(past), past.end, engine)
    table = whole.table
    folds = machine_folds(table, past.targets, MOST_FOLDS)
    if not folds:
        raise NotEnoughDataError(
            f"model '{past.entry.name}': a backtest by machine needs readings of two machines or more;"
            ' write split = "time" in its entry'
        )
    leaks = check_leaks(past.entry, recipe, table, past.events, past.end)
    parts = []
    for number, fold in enumerate(folds):
        report("training and judging by machine", number, len(folds))
        seen, unseen = table.where(fold.train), table.where(fold.test)
        learnt = tuple(machine_rows(seen.machine))
        bundle = _fitted(past, recipe, seen, learnt, past.end)
        unseen = unseen.where((unseen.time > instant(past.start)) & (unseen.time <= instant(past.end)))
        parts.append(judge_part(past, bundle, seen, replace(whole, table=unseen), learnt, past.end))
    report("training and judging by machine", len(folds), len(folds))
    return parts, leaks


def _at_random(past: Past, report: Progress, engine: Engine) -> tuple[list[Part], tuple[Leak, ...]]:
    """Judge every window of the span by a model that learnt from four fifths of all windows, drawn at random."""
    report("features", 0, MOST_FOLDS)
    recipe = recipe_until(past.plant, past.history, past.entry, past.end)
    whole = _believed(past, recipe, _before_all(past), past.end, engine)
    table = whole.table
    leaks = check_leaks(past.entry, recipe, table, past.events, past.end)
    kept = (table.time > instant(past.start)) & past.is_after_baseline(table)
    level, bundles = np.full(len(table), np.nan), []
    for number, fold in enumerate(random_folds(len(table), MOST_FOLDS)):
        report("training and judging at random", number, MOST_FOLDS)
        bundles.append(_fitted(past, recipe, table.where(fold.train), past.machines, past.end))
        level[fold.test] = whole.assessed(bundles[-1], table.where(fold.test)).level
    report("training and judging at random", MOST_FOLDS, MOST_FOLDS)
    one = replace(bundles[-1], threshold=float(np.median([each.threshold for each in bundles])))
    said = replace(whole.assessed(one, table), level=level).where(kept)
    unseen = replace(whole, table=table.where(kept))
    return [judge_part(past, one, table, unseen, past.machines, past.end, said=said)], leaks


def _by_baseline(past: Past, report: Progress, engine: Engine) -> tuple[list[Part], tuple[Leak, ...]]:
    report("features", 0, 2)
    recipe = recipe_until(past.plant, past.history, past.entry, past.end)
    whole = _believed(past, recipe, _before_all(past), past.end, engine)
    of_machine = machine_rows(whole.table.machine)
    parts, silent = [], []
    for number, (machine, rows) in enumerate(of_machine.items()):
        report("training and judging each machine by itself", number, len(of_machine))
        own = whole.table.where(np.arange(rows.start, rows.stop))
        known = past.spans[machine][0] + (past.entry.baseline or timedelta(0))
        seen, unseen = own.where(own.time <= instant(known)), own.where(own.time > instant(max(known, past.start)))
        try:
            bundle = _fitted(past, recipe, seen, (machine,), known)
        except NotEnoughDataError as error:
            silent.append(error)
            continue
        parts.append(judge_part(past, bundle, seen, replace(whole, table=unseen), (machine,), known))
    if not parts:
        raise silent[0]
    report("training and judging each machine by itself", len(of_machine), len(of_machine))
    return parts, ()


_SPLITS: Mapping[str, Callable[[Past, Progress, Engine], tuple[list[Part], tuple[Leak, ...]]]] = {
    "time": _by_time,
    "machine": _by_machine,
    "baseline": _by_baseline,
    "random": _at_random,
}


def _before_all(past: Past) -> datetime:
    return min(past.spans[each][0] for each in past.machines) - timedelta(microseconds=1)


def _believed(past: Past, recipe: Recipe, start: datetime, end: datetime, engine: Engine) -> BelievedTable:
    machine_class = past.plant.class_named(past.entry.machine_class)
    return table_anywhere(engine, recipe, machine_class, past.history, past.machines, start, end)


def _fitted(past: Past, recipe: Recipe, table: FeatureTable, machines: Sequence[str], known: datetime) -> Bundle:
    before = past.events[(past.events["time"] <= pd.Timestamp(known)) & past.events["machine"].isin(set(machines))]
    return fit_bundle(past.entry, past.plant, recipe, table, before.reset_index(drop=True), known)


def _money(costs: Costs, parts: Sequence[Part]) -> Money:
    counted = pd.concat([part.counted for part in parts], ignore_index=True)
    ways: dict[str, list[Charge] | None] = {}
    for name in parts[0].ways:
        charges = [part.ways[name].charges for part in parts]
        known = [each for each in charges if each is not None]
        ways[name] = [charge for each in known for charge in each] if len(known) == len(parts) else None
    return Money.of(
        ways,
        [machine for part in parts for machine in part.machines],
        counted,
        cost(costs, found=len(counted), missed=0, false=0),
    )


def _silent(phase: str, done: int, total: int) -> None:
    del phase, done, total
