"""Train models that must not be used, and count those that are refused: on noise, on a leak, judged at random.

Run ``python -m tests.trials.refused`` for the seeds that are reported, ``--seeds N`` for another number of them,
``--json`` for the figures alone. Every model goes the whole way, from readings to the registry;
``--kinds chance`` takes the short way, from alerts drawn at random to the refusal, for as many seeds as one likes.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.errors import LeakError
from ingest.event import Event, events_table
from ingest.plant import Costs, Machine, MachineClass, ModelEntry, Plant, Signal, Target
from models.judging.evaluate import AssessedTime, Verdict, judge
from models.judging.interval import wilson
from models.judging.money import Money, charges_of, counted_events
from models.labels.label import target_events
from models.persistence import Episode
from models.registry.promotion import hindrance
from models.registry.registry import Registry
from models.train import TrainReport, train
from tests.features.table_history import TableHistory, after, readings_frame

SEEDS = 60
FIRST_SEED = 1_000
NOW = datetime(2026, 12, 1, tzinfo=UTC)
MACHINES = tuple(f"press-{number:02d}" for number in range(10))
HOURS = 24 * 45
FAILURES_OF_EACH = 4
SIGNALS = ("vibration", "temperature", "pressure")
LEAK = "hours_to_repair"


@dataclass(frozen=True)
class Outcome:
    """What became of one model.

    Attributes
    ----------
    refused : whether it cannot be promoted, or was not trained at all
    why : in the words of the product
    named : whether the words name the leak; of noise, whether it beats neither the calendar nor luck
    saved : what it saved against the calendar, with its interval; empty where nothing was judged
    """

    seed: int
    refused: bool
    why: str
    named: bool
    saved: tuple[float | None, float, float] | tuple[()] = ()


def plant_of(*more: str) -> Plant:
    """Return a plant of presses with three signals and some more."""
    signals = [Signal(name=name, every=timedelta(hours=1)) for name in (*SIGNALS, *more)]
    return Plant(
        classes=[MachineClass(name="press", components=["seal"], signals=signals)],
        machines=[Machine(name=name, machine_class="press") for name in MACHINES],
    )


ENTRY = ModelEntry(
    name="press fails",
    task="failure_risk",
    machine_class="press",
    horizon=timedelta(hours=24),
    needed_lead=timedelta(hours=2),
    windows=[timedelta(hours=6), timedelta(hours=24)],
    stride=timedelta(hours=3),
)


def noisy_history(seed: int, leak: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]] | None = None) -> TableHistory:
    """Return signals that wander by themselves and failures that come at any time alike.

    Parameters
    ----------
    leak : makes one more signal of the hours and of the hours at which the machine fails
    """
    random = np.random.default_rng(seed)
    hours, frames, events = np.arange(HOURS), [], []
    for machine in MACHINES:
        failed = np.sort(random.choice(np.arange(40, HOURS - 30), FAILURES_OF_EACH, replace=False))
        signals = {name: _wandering(random) for name in SIGNALS}
        if leak is not None:
            signals[LEAK] = leak(hours, failed)
        frames.append(readings_frame(machine, hours * 60.0, **signals))
        events += [
            Event(machine=machine, kind="failure", time=after(hours=float(each) + 0.5), component="seal")
            for each in failed
        ]
    return TableHistory(pd.concat(frames), events)


def _wandering(random: np.random.Generator) -> NDArray[np.float64]:
    """Return a signal whose neighbours are alike, as those of real sensors are, around a level of its machine."""
    steps = random.standard_normal(HOURS)
    signal = np.empty(HOURS)
    signal[0] = steps[0]
    for hour in range(1, HOURS):
        signal[hour] = 0.97 * signal[hour - 1] + 0.24 * steps[hour]
    return signal + random.standard_normal() + 0.1 * random.standard_normal(HOURS)


def countdown(hours: NDArray[Any], failed: NDArray[Any]) -> NDArray[Any]:
    """Return how many hours are left until the next failure, as a planner wrote it down afterwards."""
    following = np.searchsorted(failed, hours, side="left")
    return np.where(following < len(failed), np.r_[failed, 0][following] - hours, 400.0)


def flag(hours: NDArray[Any], failed: NDArray[Any]) -> NDArray[Any]:
    """Return 1 in the day before a failure and 0 at all other times, as a column for training would hold it."""
    ahead = countdown(hours, failed)
    return ((ahead >= 0) & (ahead <= 24)).astype(float)


LEAKS = (countdown, flag)


def noise(seed: int, folder: Path) -> Outcome:
    """Train on signals that know nothing of the failures."""
    report = trained(noisy_history(seed), plant_of(), folder)
    why, saved = report.hindrance, None
    if report.judged is not None:
        saved = report.judged.money.saved_against("calendar")
    sound = saved is not None and saved.value is not None and (saved.value <= 0 or saved.low <= 0)
    interval = () if saved is None else (saved.value, saved.low, saved.high)
    return Outcome(seed, bool(why) and not report.live, why, sound, interval)


def leaked(seed: int, folder: Path) -> Outcome:
    """Train on signals of which one knows the failures."""
    leak = LEAKS[seed % len(LEAKS)]
    try:
        report = trained(noisy_history(seed, leak), plant_of(LEAK), folder)
    except LeakError as error:
        return Outcome(seed, True, str(error), LEAK in str(error) and not any(name in str(error) for name in SIGNALS))
    return Outcome(seed, False, report.state, False)


def at_random(seed: int, folder: Path) -> Outcome:
    """Judge a model on windows drawn at random."""
    report = trained(noisy_history(seed), plant_of(), folder, random_split=True)
    card = Registry(folder).card(ENTRY.name, report.version)
    marked = "random split" in str(card.get("watermark")) and "NOT TO BE RELIED ON" in report.summary()
    return Outcome(seed, bool(report.hindrance) and not report.live, report.hindrance, marked)


def by_chance(seed: int, folder: Path) -> Outcome:
    """Judge alerts that come at any time alike, as often as chance has it, by what they save against doing nothing."""
    del folder
    random = np.random.default_rng(seed)
    begin, hours = np.datetime64("2026-01-05", "us"), 24 * 60
    failed = [(name, int(hour)) for name in MACHINES for hour in random.integers(24, hours, random.poisson(2))]
    events = [Event(machine=name, kind="failure", time=after(hours=float(hour))) for name, hour in sorted(set(failed))]
    weekly = 10 ** random.uniform(-1.5, 0.5)
    alerts = [
        Episode(name, begin + np.timedelta64(int(hour), "h"), None, 0)
        for name in MACHINES
        for hour in np.sort(random.integers(0, hours, random.poisson(weekly * hours / 168)))
    ]
    time = np.tile(begin + np.arange(hours) * np.timedelta64(1, "h"), len(MACHINES))
    looked = AssessedTime(np.repeat(np.array(MACHINES, dtype=object), hours), time, timedelta(hours=1))
    verdict = judge(
        alerts,
        target_events(events_table(events), Target()),
        horizon=ENTRY.horizon,
        needed_lead=ENTRY.needed_lead,
        assessed=looked,
    )
    counted, nothing = counted_events(verdict), Verdict((), (), 0.0)
    ways = {
        "model": charges_of(verdict, Costs(), counted),
        "do_nothing": charges_of(nothing, Costs(), counted),
        "calendar": charges_of(nothing, Costs(), counted),
    }
    money = Money.of(ways, MACHINES, counted)
    judged = {"events": verdict.judged, "enough": True, "money": money.to_dict(), "saved": money.savings()}
    why = hindrance({"currency": "EUR", "judged": judged})
    saved = money.saved_against("calendar")
    interval = () if saved is None else (saved.value, saved.low, saved.high)
    return Outcome(seed, bool(why), why, bool(why), interval)


def trained(history: TableHistory, plant: Plant, folder: Path, *, random_split: bool = False) -> TrainReport:
    """Train one model into a registry of its own."""
    return train(plant, history, ENTRY, Registry(folder), now=NOW, random_split=random_split)


KINDS: dict[str, Callable[[int, Path], Outcome]] = {
    "noise": noise,
    "leaked": leaked,
    "random split": at_random,
    "chance": by_chance,
}


def measure(kind: str, seeds: Sequence[int], tell: Callable[[str], Any] | None = None) -> list[Outcome]:
    """Return what became of one model of a kind for each seed."""
    outcomes = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(KINDS[kind](seed, Path(folder)))
        if tell is not None:
            tell(f"{kind} {seed}: {'refused' if outcomes[-1].refused else 'NOT REFUSED'}: {outcomes[-1].why[:160]}\n")
    return outcomes


def line_of(kind: str, outcomes: Sequence[Outcome]) -> str:
    """Return the figures of one kind as a line for people."""
    refused, named = sum(each.refused for each in outcomes), sum(each.named for each in outcomes)
    total = len(outcomes)
    words = {
        "noise": "beat neither the calendar nor luck",
        "chance": "may be luck",
        "leaked": "name the leak alone",
    }.get(kind, "are marked")
    return f"{kind}: {refused} of {total} refused, {wilson(refused, total).percent()}; {named} of {total} {words}\n"


def main() -> None:
    """Print how many models of each kind were refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + asked.seeds)
    found = {kind: measure(kind, seeds, None if asked.json else sys.stderr.write) for kind in asked.kinds}
    if asked.json:
        plain = {kind: [asdict(each) for each in outcomes] for kind, outcomes in found.items()}
        sys.stdout.write(json.dumps(plain, indent=2) + "\n")
    else:
        sys.stdout.write("".join(line_of(kind, outcomes) for kind, outcomes in found.items()))


if __name__ == "__main__":
    main()
