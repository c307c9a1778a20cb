"""What a model is worth to a big plant over years: ``python -m tests.trials.plant_years --machines 50 --years 2``.

The simulator makes a plant of all its kinds up: machines that change duties, wear in their failure modes (each of 16
or more, at its own speed), fail without a sign now and then, are maintained by calendar; a fifth of them have sensors
that lie. For each kind the failure model of the plant file that the simulator writes, or the anomaly model with
``--task anomaly``, is trained on the first 60 % and judged on the rest by what training uses. Nothing in the simulator
is there to suit the models.

Printed: recall with the needed lead (of failures that give signs, and of all), false alarms per machine-week (in
brackets those that began while a part did wear), money saved as a share of what somebody who knows the future saves,
reliability error, the share of healthy values that lie in their band, and of each failure that was found, at the
window of its first right alert: whether the right failure mode is named first, whether a signal that it moves is
among the two largest contributions, and whether a planted twin comes first among the past episodes: the same
degradation on another machine at another time, alone of its mode among all other episodes; and among all, others of
its mode as well.
"""

import argparse
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.plant import Costs
from ingest.simulation.degradation import Degradation
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.life import degradations
from ingest.simulation.scenario import Scenario, scenario_from
from models.believed import BelievedTable, believed_table
from models.bundle import Bundle
from models.explain import Explanation, departures_of, explain_row
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from models.judging.evaluate import AlertVerdict, EventVerdict, JudgedEvent, Verdict
from models.judging.interval import Interval, poisson_rate, wilson
from models.judging.judged_part import judge_part
from models.judging.past import Past
from models.labels.label import label
from models.moment import as_datetime, instant, is_over, span
from models.rows import machine_rows
from models.tasks.table import task_of
from tests.trials.made_plant import MadeKind, made_kinds
from tests.trials.regimes import on_wear
from tests.trials.twins import joined, remembered, twin_of, without_mode

BINS = 10
_DRAWS = 1000


@dataclass(slots=True)
class Explained:
    """What was said of one failure that was found, and what was true."""

    machine: str
    mode_first: bool | None
    signal_first_two: bool
    same_mode_first: bool
    twin_first: bool | None = None
    twin_first_of_all: bool | None = None
    milliseconds: float = 0.0


@dataclass(slots=True)
class Tally:
    """What came out of one kind, or of all."""

    kind: str
    verdict: Verdict
    signs: dict[tuple[str, np.datetime64], bool]
    worn: int
    machines: tuple[str, ...]
    said: np.ndarray  # type: ignore[type-arg]
    happened: np.ndarray  # type: ignore[type-arg]
    of_machine: np.ndarray  # type: ignore[type-arg]
    covered: tuple[int, int] = (0, 0)
    explained: list[Explained] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def events(self, *, sign: bool | None = None) -> list[JudgedEvent]:
        """Return the judged events, all or those with or without signs."""
        found = [each for each in self.verdict.events if each.verdict != EventVerdict.NOT_JUDGED]
        return [each for each in found if sign is None or self.signs.get((each.machine, each.begin)) == sign]


def judged(made: MadeKind) -> tuple[Tally, Bundle, FeatureTable]:
    """Train on the past of one kind and judge on the rest; return the rows that were judged, too."""
    began = perf_counter()
    entry = made.entry.model_copy(update={"split": "time"})
    past = Past.of(made.plant, made.history, entry, None, None)
    recipe = recipe_until(made.plant, made.history, entry, past.start)
    first = min(past.spans[each][0] for each in past.machines)
    known = past.events[past.events["time"] <= pd.Timestamp(past.start)].reset_index(drop=True)
    machine_class = made.plant.class_named(entry.machine_class)

    def seen(start: datetime, end: datetime) -> BelievedTable:
        return believed_table(recipe, machine_class, made.history, past.machines, start, end)

    table = seen(first - timedelta(microseconds=1), past.start).table
    features = perf_counter()
    bundle = fit_bundle(entry, made.plant, recipe, table, known, past.start)
    fitted = perf_counter()
    test = seen(past.start, past.end)
    part = judge_part(past, bundle, table, test, past.machines, past.start)
    said = test.assessed(bundle, test.table)
    over = ~np.isnan(said.level) & is_over(test.table.time, entry.horizon, instant(past.newest))
    outcomes = label(test.table, past.targets, entry.horizon, past.newest)
    # Only a probability can be held against how often it came true.
    over &= (outcomes >= 0) & task_of(entry).tells_probability
    tally = Tally(
        made.name,
        part.verdict,
        _signs(made),
        on_wear(part.verdict, made.truth),
        past.machines,
        said.level[over],
        outcomes[over] == 1,
        said.machine[over].astype(str),
    )
    tally.covered = covered(made, bundle, test.table)
    tally.seconds = {"features": features - began, "fit": fitted - features, "judge": perf_counter() - fitted}
    return tally, bundle, test.table


def covered(made: MadeKind, bundle: Bundle, table: FeatureTable) -> tuple[int, int]:
    """Count the values that lie in their band, and all of them, while no part wears and no window holds any wear."""
    if bundle.band is None:
        return 0, 0
    healthy = np.ones(len(table), np.bool_)
    longest = span(max(bundle.recipe.windows))
    rows = machine_rows(table.machine)
    for machine, began, ended in made.truth[["machine", "began", "ended"]].itertuples(index=False):
        if machine in rows:
            own = table.time[rows[machine]]
            first, last = (np.datetime64(each.tz_localize(None), "us") for each in (began, ended))
            healthy[rows[machine]] &= (own < first) | (own > last + longest)
    table = table.where(healthy)
    inside = of_all = 0
    for each in bundle.band.expectations(bundle.seen(table), bundle.normal, bundle.band.signals):
        known = np.isfinite(each.actual) & np.isfinite(each.low)
        inside += int(((each.actual >= each.low) & (each.actual <= each.high))[known].sum())
        of_all += int(known.sum())
    return inside, of_all


def explained(made: MadeKind, bundle: Bundle, table: FeatureTable, verdict: Verdict, *, twins: bool) -> list[Explained]:
    """Explain the first right alert of each failure that gives signs, and look for its twin."""
    lives = {
        (machine.name, np.datetime64(each.ended or 0, "s").astype("datetime64[us]")): (machine, each)
        for machine in made.scenario.plant()
        if machine.kind.name == made.name
        for each in degradations(made.scenario, machine)
        if not each.fate.mode.sudden and each.outcome == "failed"
    }
    rows = machine_rows(table.machine)
    begin = datetime.fromtimestamp(made.scenario.begin, UTC)
    found = []
    first: dict[tuple[str, np.datetime64], np.datetime64] = {}
    for alert in verdict.alerts:
        if alert.verdict == AlertVerdict.RIGHT and alert.event is not None:
            key = (alert.machine, alert.event)
            first[key] = min(first.get(key, alert.begin), alert.begin)
    for number, (key, at) in enumerate(sorted(first.items())):
        if key not in lives:
            continue
        machine, life = lives[key]
        own = rows[key[0]]
        time = table.time[own]
        part = table.where(np.array([own.start + np.flatnonzero(time <= at)[-1]]))
        started = process_time()
        told = explain_row(bundle, part, as_datetime(at))
        took = 1000 * (process_time() - started)
        result = _compared(machine.name, life, told, took, diagnoses=bundle.diagnosis is not None)
        if twins and bundle.episodes is not None:
            twin = remembered(bundle, made.history, twin_of(made.scenario, machine, life, number), begin)
            departures = departures_of(bundle, bundle.seen(part))
            others = without_mode(bundle.episodes, life.component, life.fate.mode.name)
            alone, all_of_them = (
                joined([episodes, twin]).nearest(departures, as_datetime(at), 1)[0].machine == twin.machine[0]
                for episodes in (others, bundle.episodes)
            )
            result.twin_first, result.twin_first_of_all = alone, all_of_them
        found.append(result)
    return found


def _compared(machine: str, life: Degradation, told: Explanation, took: float, *, diagnoses: bool) -> Explained:
    mode, why = life.fate.mode, told.why
    moved = {effect.signal for effect in mode.effects}
    named = why.modes[0] if why.modes else None
    nearest = told.similar[0] if told.similar else None
    return Explained(
        machine,
        (named is not None and (named.component, named.code) == (life.component, mode.name)) if diagnoses else None,
        any(each.signal in moved for each in why.contributions[:2]),
        nearest is not None and (nearest.component, nearest.code) == (life.component, mode.name),
        milliseconds=took,
    )


def _signs(made: MadeKind) -> dict[tuple[str, np.datetime64], bool]:
    """Say of each failure whether anything could be seen before it."""
    failed = made.truth[(made.truth["kind"] == "degradation") & (made.truth["outcome"] == "failed")]
    ended = pd.to_datetime(failed["ended"], utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return {
        (machine, end): not sudden
        for machine, end, sudden in zip(failed["machine"], ended, failed["sudden"].astype(bool), strict=True)
    }


def saved(tallies: Sequence[Tally], costs: Costs, *, sign: bool | None) -> Interval:
    """Return what was saved over what somebody who knows the future saves, with an interval over machines."""
    gain = costs.missed_failure - costs.planned_stop
    ours, theirs = [], []
    for tally in tallies:
        events = tally.events(sign=sign)
        for machine in tally.machines:
            own = [each for each in events if each.machine == machine]
            false = sum(each.machine == machine and each.verdict == AlertVerdict.FALSE for each in tally.verdict.alerts)
            ours.append(gain * sum(each.verdict == EventVerdict.FOUND for each in own) - costs.false_alarm * false)
            theirs.append(gain * len(own))
    return _drawn(np.array(ours, float), np.array(theirs, float))


def _drawn(ours: "np.ndarray", theirs: "np.ndarray") -> Interval:  # type: ignore[type-arg]
    if not theirs.sum():
        return Interval(None, 0.0, 1.0)
    drawn = np.random.default_rng(0).integers(0, len(ours), (_DRAWS, len(ours)))
    shares = ours[drawn].sum(axis=1) / np.maximum(theirs[drawn].sum(axis=1), 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return Interval(float(ours.sum() / theirs.sum()), float(low), float(high))


def reliability(tallies: Sequence[Tally]) -> Interval:
    """Return the weighted mean of |said − happened| over ten bins of equal count, with an interval over machines."""
    said, happened, machine = (
        np.concatenate([getattr(each, name) for each in tallies]) for name in ("said", "happened", "of_machine")
    )
    names = np.unique(machine)
    rows = {name: np.flatnonzero(machine == name) for name in names}
    random = np.random.default_rng(0)
    drawn = [
        _error(said[chosen], happened[chosen])
        for chosen in (
            np.concatenate([rows[name] for name in random.choice(names, len(names))]) for _ in range(_DRAWS // 5)
        )
    ]
    return Interval(_error(said, happened), *np.quantile(drawn, [0.025, 0.975]).tolist())


def _error(said: "np.ndarray", happened: "np.ndarray") -> float:  # type: ignore[type-arg]
    order = np.argsort(said, kind="stable")
    bins = zip(np.array_split(said[order], BINS), np.array_split(happened[order], BINS), strict=True)
    return float(sum(abs(s.mean() - h.mean()) * len(s) for s, h in bins) / max(len(said), 1))


def rows_of(tallies: Sequence[Tally], costs: Costs) -> list[tuple[str, Interval, str, str]]:
    """Return what is printed: figure, value with its interval, how it is counted, goal."""
    with_signs = [each for tally in tallies for each in tally.events(sign=True)]
    everything = [each for tally in tallies for each in tally.events()]
    found, of_all = (sum(each.verdict == EventVerdict.FOUND for each in some) for some in (with_signs, everything))
    false, weeks = (
        sum(tally.verdict.false for tally in tallies),
        sum(tally.verdict.machine_weeks for tally in tallies),
    )
    worn = sum(tally.worn for tally in tallies)
    told = [each for tally in tallies for each in tally.explained]
    listed = [
        ("recall, failures with signs", wilson(found, len(with_signs)), f"{found} of {len(with_signs)}", "≥ 0.90"),
        ("recall, all failures", wilson(of_all, len(everything)), f"{of_all} of {len(everything)}", ""),
        (
            "false alarms per machine-week",
            poisson_rate(false, weeks),
            f"{false} in {weeks:.0f}, {worn} on wear",
            "≤ 0.05",
        ),
        ("money of clairvoyant, failures with signs", saved(tallies, costs, sign=True), "over machines", "≥ 0.70"),
        ("money of clairvoyant, all failures", saved(tallies, costs, sign=None), "over machines", ""),
    ]
    if said := sum(len(tally.said) for tally in tallies):
        listed.append(("reliability error", reliability(tallies), f"{said:,} assessments", "≤ 0.05"))
    inside, of_all = (sum(tally.covered[at] for tally in tallies) for at in (0, 1))
    listed.append(("healthy values in their 90 % band", wilson(inside, of_all), f"{of_all:,} values", "0.90"))
    for name, attribute, goal in (
        ("right mode first", "mode_first", "≥ 0.85"),
        ("right signal in the first two", "signal_first_two", "≥ 0.95"),
        ("nearest episode is of the same mode", "same_mode_first", ""),
        ("twin first, alone of its mode", "twin_first", "≥ 0.90"),
        ("twin first, others of its mode too", "twin_first_of_all", ""),
    ):
        known = [value for each in told if (value := getattr(each, attribute)) is not None]
        listed.append((name, wilson(sum(known), len(known)), f"{sum(known)} of {len(known)}", goal))
    return listed


def main() -> None:
    """Print the table, for all kinds together and for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--years", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=701)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--every", default="10 min")
    parser.add_argument(
        "--sudden", type=float, default=Scenario().sudden_share, help="Share of failures without a sign."
    )
    parser.add_argument("--faulty", type=float, default=0.2, help="Share of machines whose sensors lie.")
    parser.add_argument("--no-twins", action="store_true")
    parser.add_argument(
        "--task", choices=("failure_risk", "anomaly"), default="failure_risk", help="Which of the plant file's models."
    )
    chosen = parser.parse_args()
    share, rest = divmod(chosen.machines, len(chosen.kinds))
    scenario = scenario_from(
        {
            "machines": {kind: share + (place < rest) for place, kind in enumerate(chosen.kinds)},
            "days": round(365 * chosen.years),
            "seed": chosen.seed,
            "every": chosen.every,
            "sudden_share": chosen.sudden,
            "sensor_fault_share": chosen.faulty,
        }
    )
    tallies, costs, began = [], Costs(), perf_counter()
    for made in made_kinds(scenario, chosen.task):
        costs, simulated = made.plant.costs, perf_counter() - began
        tally, bundle, table = judged(made)
        started = perf_counter()
        tally.explained = explained(made, bundle, table, tally.verdict, twins=not chosen.no_twins)
        tally.seconds["explain"] = perf_counter() - started
        tallies.append(tally)
        spent = ", ".join(f"{name} {took:.0f} s" for name, took in {"simulate": simulated, **tally.seconds}.items())
        sys.stderr.write(f"{made.name}: {spent}\n")
        began = perf_counter()
    write = sys.stdout.write
    write("| kind | figure | value | 95 % | counted | goal |\n|---|---|---|---|---|---|\n")
    for some, name in ((tallies, "all"), *(([each], each.kind) for each in tallies)):
        for what, value, how, goal in rows_of(some, costs):
            shown = "–" if value.value is None else f"{value.value:.3f}"
            write(f"| {name} | {what} | {shown} | {value.low:.3f}–{value.high:.3f} | {how} | {goal} |\n")
    took = [each.milliseconds for tally in tallies for each in tally.explained]
    if took:
        write(
            f"\nCPU time of one explanation: median {np.median(took):.1f} ms, 99 % {np.quantile(took, 0.99):.1f} ms.\n"
        )
    write(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.\n")


if __name__ == "__main__":
    main()
