"""What labels are worth: ``python -m tests.trials.labels [--seeds N]``.

The same plant is watched with 0, 3 and 30 of its failures known to the pipeline: same readings, same detector, same
settings. Each model is judged on a second plant of the same kind, on failures that it never saw, at one rate of false
alarms per machine-week for all. Recall may not fall beyond its interval as labels are added. Beside it, with 30, the
supervised model that they justify.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from features.table import FeatureTable
from ingest.plant import AlertSettings, ModelEntry, Target
from models.judging.ground import Ground, Rules
from models.judging.interval import Interval, wilson
from models.labels.label import target_events
from models.learner import Learner
from models.tasks.table import task_of
from tests.models.modes import SHOWS, mills
from tests.models.pumps import BEGIN

LABELS = (0, 3, 30)
FALSE_ALARMS_PER_MACHINE_WEEK = 0.05
DAYS = 60
HORIZON = timedelta(hours=48)
HOURS_OF_A_WEEK = 168
_CUTS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What was found at the rate of false alarms that is allowed."""

    labels: int
    task: str
    recall: Interval
    found: int
    events: int


def entry_of(task: str) -> ModelEntry:
    """Return the entry that the plant file would have."""
    return ModelEntry(name="m", task=task, machine_class="mill", horizon=HORIZON)


def learnt(task: str, table: FeatureTable, events: pd.DataFrame, end: datetime) -> Learner:
    """Fit the learner of a task as ``fit_bundle`` does."""
    entry, targets = entry_of(task), target_events(events, Target())
    asked = task_of(entry)
    return asked.learner(entry).fit(
        table, asked.labels(entry, table, targets, end), asked.folds(entry, table, targets, end)
    )


def recall(labels: int, task: str, learner: Learner, table: FeatureTable, events: pd.DataFrame) -> Found:
    """Return how many failures are found where false alarms come just as often as is allowed."""
    level, targets = learner.level(table), target_events(events, Target())
    rules = Rules(alerts=AlertSettings(), horizon=HORIZON, needed_lead=timedelta(0))
    ground = Ground.of(table.machine, table.time, targets, targets, rules)
    allowed, best = FALSE_ALARMS_PER_MACHINE_WEEK * len(table) / HOURS_OF_A_WEEK, 0
    # Few levels lie high: cuts are dense there.
    for cut in np.unique(np.quantile(level, 1 - np.geomspace(1e-5, 0.2, _CUTS), method="higher"))[::-1]:
        tally = ground.tally(level, float(cut))
        if tally.false.sum() > allowed:
            break
        best = max(best, int(tally.found.sum()))
    return Found(labels, task, wilson(best, ground.events), best, ground.events)


def trial(seed: int, *, machines: int = 12, strength: float = 1.6, supervised: bool = True) -> list[Found]:
    """Watch one plant with so many labels and judge on another."""
    random = np.random.default_rng(seed)
    # Modes are not equally frequent, and one of them never happened while the plant was watched.
    seen, weights = list(SHOWS)[:-1], (0.6, 0.3, 0.1)
    modes = [str(each) for each in random.choice(seen, size=max(LABELS), p=weights)]
    table, events = mills(modes, machines=machines, days=DAYS, seed=2 * seed + 1, strength=strength)
    later = [str(each) for each in random.choice(list(SHOWS), size=60, p=(0.5, 0.25, 0.15, 0.1))]
    unseen, failures = mills(later, machines=machines, days=DAYS, seed=2 * seed + 2, strength=strength)
    end = BEGIN + timedelta(days=DAYS)
    found = []
    for count in LABELS:
        known = events.sort_values("time", kind="stable").iloc[:count].reset_index(drop=True)
        found.append(recall(count, "anomaly", learnt("anomaly", table, known, end), unseen, failures))
    if supervised:
        found.append(recall(max(LABELS), "failure_risk", learnt("failure_risk", table, events, end), unseen, failures))
    return found


def fell(found: list[Found]) -> list[str]:
    """Return where recall fell beyond its interval as labels were added."""
    own = [each for each in found if each.task == "anomaly"]
    return [
        f"{fewer.labels} labels {fewer.recall.percent()}, {more.labels} labels {more.recall.percent()}"
        for place, fewer in enumerate(own)
        for more in own[place + 1 :]
        if (more.recall.value or 0.0) < fewer.recall.low
    ]


def main() -> int:
    """Print one row for each seed; the exit code says whether recall ever fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--strength", type=float, default=1.6)
    asked = parser.parse_args()
    wrong = 0
    sums: dict[tuple[int, str], list[int]] = {}
    for seed in range(asked.seeds):
        found = trial(seed, strength=asked.strength)
        for each in found:
            total = sums.setdefault((each.labels, each.task), [0, 0])
            total[0] += each.found
            total[1] += each.events
        said = "; ".join(f"{each.labels} {each.task}: {each.found} of {each.events}" for each in found)
        wrong += bool(fell(found))
        sys.stdout.write(f"seed {seed}: {said}{''.join(f'  FELL: {each}' for each in fell(found))}\n")
    for (labels, task), (right, of) in sums.items():
        sys.stdout.write(f"{labels} labels, {task}: {right} of {of} = {right / of:.0%}\n")
    sys.stdout.write(f"fell beyond its interval in {wrong} of {asked.seeds} plants\n")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
