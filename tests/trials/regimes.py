"""Whether it helps to know how machines run: ``python -m tests.trials.regimes --seeds 101 102``.

Fleets like the sample plant, with other seeds than its own, are learnt from and judged by the backtest that
training uses, with and without context: signals that say what a machine is told to do, and residuals. Each row of the
table sums the seeds: failures found, alerts that no failure followed in time (in brackets those of them that began
while a part of the machine did wear, to a failure farther off or one that maintenance prevented), and the share of
judged times that had no level because the machine ran as it never had before.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

from features.column import RESIDUAL
from features.usual import SIGNAL_FEATURES
from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.simulation.machine import simulate_machine
from ingest.simulation.scenario import scenario_from
from models.assessment import Reason
from models.judging.backtest import backtest
from models.judging.evaluate import AlertVerdict, Verdict
from tests.features.table_history import TableHistory

SAMPLE = Path(__file__).parents[2] / "sample_data"
TOLD = {"pump": "flow", "spindle": "speed"}
"""The signal of each kind that comes nearest to what the machine is told to do."""

VARIANTS = {
    "plain": (False, ()),
    "residual from all others": (False, (*SIGNAL_FEATURES, RESIDUAL)),
    "operating": (True, ()),
    "operating and residual": (True, (*SIGNAL_FEATURES, RESIDUAL)),
}


def history_of(kind: str, seed: int) -> tuple[TableHistory, pd.DataFrame]:
    """Simulate the machines of one kind of the sample plant, with another seed; return the truth, too."""
    told = scenario_from(json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8")))
    scenario = replace(told, seed=seed, machines={kind: dict(told.machines)[kind]})  # type: ignore[call-overload]
    readings, events, truth = [], [], []
    for machine in scenario.plant():
        made = simulate_machine(scenario, machine)
        frame = made.readings.table.drop_columns(["arrived"]).to_pandas()
        for signal in machine.kind.signals:
            frame[signal.name] = frame[signal.name].where(frame[signal.name].between(signal.low, signal.high))
        readings.append(frame)
        events.append(made.events)
        truth.append(made.truth)
    history = TableHistory(pd.concat(readings, ignore_index=True))
    history.known_events = pd.concat(events, ignore_index=True).sort_values("time", kind="stable", ignore_index=True)
    return history, pd.concat(truth, ignore_index=True)


def with_context(plant: Plant, *, operating: bool) -> Plant:
    """Return the plant with or without a signal that says what machines of a kind are told to do."""
    classes = [
        each.model_copy(
            update={
                "signals": [
                    signal.model_copy(update={"operating": operating and signal.name == TOLD.get(each.name)})
                    for signal in each.signals
                ]
            }
        )
        for each in plant.classes
    ]
    return plant.model_copy(update={"classes": classes})


def entries(plant: Plant, kind: str, task: str) -> Iterator[ModelEntry]:
    """Yield the models of the plant for a kind and a task."""
    yield from (each for each in plant.models if each.machine_class == kind and each.task == task)


def on_wear(verdict: Verdict, truth: pd.DataFrame) -> int:
    """Count the false alarms that began while a part of the machine wore."""
    wear = truth[(truth["kind"] == "degradation") & ~truth["sudden"].astype(bool)]
    spans = dict(iter(wear.groupby("machine")))
    found = 0
    for alert in verdict.alerts:
        if alert.verdict == AlertVerdict.FALSE and alert.machine in spans:
            own = spans[alert.machine]
            began, ended = (
                pd.to_datetime(own[name], utc=True).to_numpy("datetime64[us]") for name in ("began", "ended")
            )
            found += bool(((began <= alert.begin) & ((alert.begin <= ended) | np.isnat(ended))).any())
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--kinds", nargs="+", default=["pump", "spindle"])
    parser.add_argument("--tasks", nargs="+", default=["anomaly", "failure_risk"])
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    chosen = parser.parse_args()
    plant = load_plant(SAMPLE / "plant.toml")
    sums: dict[tuple[str, str, str], Counter[str]] = {}
    for kind in chosen.kinds:
        for seed in chosen.seeds:
            history, truth = history_of(kind, seed)
            for task in chosen.tasks:
                for name in chosen.variants:
                    operating, features = VARIANTS[name]
                    own = with_context(plant, operating=operating)
                    (entry,) = entries(own, kind, task)
                    began = process_time()
                    report = backtest(own, history, entry.model_copy(update={"features": list(features)}))
                    sums.setdefault((kind, task, name), Counter()).update(
                        events=report.verdict.judged,
                        found=report.verdict.found,
                        false=report.verdict.false,
                        worn=on_wear(report.verdict, truth),
                        cost=round(report.money.model),
                        rows=sum(report.reasons.values()),
                        unseen=report.reasons.get(Reason.OUT_OF_DOMAIN.value, 0),
                        seconds=round(process_time() - began),
                    )
                    said = f"{kind} {task} {seed} {name}: {report.verdict.found} found, {report.verdict.false} false"
                    sys.stderr.write(said + "\n")
    sys.stdout.write("| kind | task | context | found | false alarms | cost | unseen | CPU s |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|---|\n")
    for (kind, task, name), of in sums.items():
        unseen = of["unseen"] / max(of["rows"], 1)
        alerts = f"{of['found']} of {of['events']} | {of['false']} ({of['worn']})"
        sys.stdout.write(f"| {kind} | {task} | {name} | {alerts} | {of['cost']:,} | {unseen:.1%} | {of['seconds']} |\n")


if __name__ == "__main__":
    main()
