"""How often a worse challenger is promoted: ``python -m tests.trials.challengers --trials 2000``.

Two versions are judged on the same made-up time: each event is found by each with its own chance, hard events by
neither; false alarms come in clusters, some machines and some weeks having far more of them than others. A
challenger is worse when it costs more in the long run. Of each world, the table gives the share of trials in which
the rule of promotion lets it pass, which is to be below 5 % of the worse ones; of better ones it is the power of the
rule.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ingest.plant import Costs
from models.registry.challenge import compare

WEEKS = 26
BEGIN = np.datetime64("2026-01-01T00:00:00", "us")
COSTS = Costs()


@dataclass(frozen=True, slots=True)
class World:
    """What is true of two versions.

    Attributes
    ----------
    events : expected on all machines together
    recall : chance of each, live and challenger, to find an event
    false : expected false alarms on all machines together, live and challenger
    clusters : shape of the gamma distributions of a machine's and of a week's false alarms; the smaller, the more
        they cluster
    common : share of events that are equally easy or hard for both
    """

    machines: int
    events: float
    recall: tuple[float, float]
    false: tuple[float, float]
    clusters: float = 0.5
    common: float = 0.7

    @property
    def saved(self) -> float:
        """What the challenger saves in the long run against the live version."""
        worth = COSTS.missed_failure - COSTS.planned_stop
        found = self.events * (self.recall[1] - self.recall[0])
        return worth * found + COSTS.false_alarm * (self.false[0] - self.false[1])


def worlds() -> Iterator[tuple[str, World]]:
    """Yield worlds with a worse challenger, or one that is just as good, then with better ones."""
    worth = COSTS.missed_failure - COSTS.planned_stop
    for machines in (1, 3, 10, 50):
        for events in (1.0, 4.0, 15.0, 60.0):
            base = World(machines, events, (0.8, 0.8), (10.0, 10.0))
            yield "as good", base
            yield "finds less", replace(base, recall=(0.8, 0.7))
            yield "more false alarms", replace(base, false=(10.0, 20.0))
            # What it saves in false alarms is what it loses in events, but for a tenth.
            fewer = 0.9 * worth * events * 0.1 / COSTS.false_alarm
            yield "finds less, fewer false alarms", replace(base, recall=(0.8, 0.7), false=(fewer + 2, 2.0))
            yield "finds more, more false alarms", replace(base, recall=(0.7, 0.8), false=(2.0, fewer / 0.81 + 2))
            yield (
                "never speaks",
                replace(base, recall=(0.5, 0.0), false=(0.9 * worth * events * 0.5 / COSTS.false_alarm, 0.0)),
            )
    for machines in (3, 50):
        for events in (4.0, 15.0, 60.0):
            yield "better: finds all", World(machines, events, (0.5, 1.0), (10.0, 10.0))
            yield "better: a tenth of false alarms", World(machines, events, (0.8, 0.8), (200.0, 20.0))


def cards(world: World, dice: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cards of a challenger and a live version that were judged on the same time."""
    names = [f"machine-{number}" for number in range(world.machines)]
    owner = dice.integers(world.machines, size=dice.poisson(world.events))
    begin = dice.integers(2 * 24, WEEKS * 7 * 24, size=len(owner))
    same, own = dice.random(len(owner)), dice.random((2, len(owner)))
    ease = np.where(dice.random(len(owner)) < world.common, same, own)
    load = dice.gamma(world.clusters, 1 / world.clusters, size=(world.machines, 1))
    # What a machine always has is part of the truth; what a week has is chance.
    load *= world.machines / load.sum()
    load = load * dice.gamma(world.clusters, 1 / world.clusters, size=(world.machines, WEEKS)) / WEEKS
    made = []
    for version in (1, 0):
        found = ease[version] < world.recall[version]
        false = dice.poisson(world.false[version] / world.machines * load)
        made.append(_card(names, owner, begin, found, false, dice))
    return made[0], made[1]


def _card(
    names: list[str], owner: Any, begin: Any, found: Any, false: Any, dice: np.random.Generator
) -> dict[str, Any]:
    alarms, week = (np.repeat(place, false.ravel()) for place in np.indices(false.shape).reshape(2, -1))
    times = np.clip(week * 7 * 24 + dice.integers(7 * 24, size=len(alarms)), 1, WEEKS * 7 * 24 - 24)
    return {
        "target": {"kind": "failure", "component": "", "code": ""},
        "horizon": "24 h",
        "currency": "EUR",
        "costs": COSTS.model_dump(),
        "data": {"machines": names},
        "judged": {
            "enough": True,
            "span": {"start": _moment(0), "end": _moment(WEEKS * 7 * 24)},
            "event_list": [
                {"machine": names[who], "begin": _moment(hour), "verdict": "found" if yes else "missed"}
                for who, hour, yes in zip(owner, begin, found, strict=True)
            ],
            "alerts": [
                {"machine": names[who], "begin": _moment(hour), "verdict": "false"}
                for who, hour in zip(alarms, times, strict=True)
            ],
        },
    }


def passes(world: World, *, trials: int, seed: int) -> float:
    """Return the share of trials in which the challenger is shown to be better."""
    dice = np.random.default_rng(seed)
    passed = 0
    for _ in range(trials):
        found = compare(*cards(world, dice))
        passed += found is not None and found.saved.low > 0
    return passed / trials


def _moment(hour: int) -> str:
    return f"{BEGIN + np.timedelta64(int(hour), 'h')}".partition(".")[0] + "Z"


def main() -> None:
    """Print the table; end with 1 when a worse challenger passes in 5 % of trials or more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    worst = 0.0
    sys.stdout.write("| challenger | machines | events | saves in truth | passes |\n|---|---|---|---|---|\n")
    for number, (what, world) in enumerate(worlds()):
        share = passes(world, trials=asked.trials, seed=asked.seed + number)
        worst = max(worst, share) if world.saved <= 0 else worst
        told = f"| {what} | {world.machines} | {world.events:g} | {world.saved:,.0f} | {100 * share:.1f} % |\n"
        sys.stdout.write(told)
        sys.stdout.flush()
    sys.stdout.write(f"worst of those that are no better: {100 * worst:.1f} %\n")
    sys.exit(worst >= 0.05)


if __name__ == "__main__":
    main()
