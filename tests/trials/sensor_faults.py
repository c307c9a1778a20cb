"""Give every sensor of healthy machines every kind of fault: ``python -m tests.trials.sensor_faults --seeds 1 2``.

A fleet like the sample plant runs, fails and is learnt from for 90 days; from then on its machines stay healthy. On
some machines one sensor at a time has one fault, and the same readings without it are the base rate. The code that a
round uses says hour by hour which sensors cannot be believed and window by window what the models say; alerts are
counted as the plant file asks for them.

Each row of the table: how many faults were found on the right signal while they lasted, by the hourly judge within how
many hours (median) and by it or by an alert that one signal alone departs, how many other signals the judge blamed, and
how many machine alerts began during the fault and within the longest
window after it that the same machine without the fault has not, and in brackets the reverse; last, how many alerts the
machine has in this time without the fault. Below it, how often sensors without any fault were blamed: of healthy
machines, and of a fleet that goes on to fail as the sample plant does.

``tests.trials.sensor_fault_sizes`` says from which size on faults are found.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from ingest.plant import Plant
from ingest.plant_file import load_plant
from ingest.simulation.machine import simulate_machine
from ingest.simulation.scenario import Scenario, SimulatedMachine, scenario_from
from ingest.simulation.sensor_fault import SensorFault
from models.assessment import Assessments
from models.believed import believed
from models.bundle import Bundle
from models.judging.interval import poisson_rate
from models.moment import as_datetime, instant
from models.persistence import episodes
from models.sensors.health import WORDS, Health, sensor_health
from models.subject import about_machine, about_sensor, alerts_of
from tests.features.table_history import TableHistory
from tests.trials.learnt import learnt
from tests.trials.planned_faults import HEALTHY, KINDS_OF_FAULT, drawn, faulty, plain

SAMPLE = Path(__file__).parents[2] / "sample_data"
LEARNT, DAYS = timedelta(days=90), 150
SETTLED = timedelta(days=28)
"""From how long after the last failure a machine's usual fortnight and the week after it hold none."""

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NEVER = datetime.max.replace(tzinfo=UTC) - 2 * DAY


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines of one class, and what was learnt from their first 90 days."""

    plant: Plant
    readings: pd.DataFrame
    events: pd.DataFrame
    bundles: tuple[Bundle, ...]
    begin: datetime

    def history(self, readings: pd.DataFrame | None = None) -> TableHistory:
        """Return a history of these readings, or its own."""
        history = TableHistory(self.readings if readings is None else readings)
        history.known_events = self.events
        return history


class FaultyHistory(TableHistory):
    """The true history but for one machine from a moment on; what is derived from the same readings is shared."""

    def __init__(self, readings: pd.DataFrame, truth: TableHistory, machine: str, until: datetime) -> None:
        others = truth.readings[truth.readings["machine"] != machine]
        super().__init__(pd.concat([others, readings]))
        self.known_events, self._truth, self._until = truth.known_events, truth, until
        self._others = set(others["machine"].unique())

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings."""
        if end <= self._until or all(isinstance(key, tuple) and key[-1] in self._others for key in keys):
            return self._truth.derived(machine_class, start, end, keys, work)
        return super().derived(machine_class, start, end, keys, work)


def fleet_of(kind: str, seed: int, machines: int, *, models: bool = True) -> Fleet:
    """Simulate a fleet that fails until it is learnt from, and learn its models from it, if any are wanted."""
    told = json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8"))
    failing = replace(scenario_from(told), seed=seed, machines={kind: machines}, days=DAYS)
    healthy = replace(failing, failures_per_machine_year=0.0, sensor_faults_per_machine_year=0.0)
    begin = datetime.fromtimestamp(failing.begin, UTC)
    known = begin + LEARNT
    pairs = [(_of(failing, each), _of(healthy, each)) for each in failing.plant()]
    readings, events = (
        pd.concat(
            [part for bad, good in pairs for part in (_before(bad[at], known), _from(good[at], known))],
            ignore_index=True,
        )
        for at in (0, 1)
    )
    plant = load_plant(SAMPLE / "plant.toml")
    fleet = Fleet(plant, readings, events.sort_values("time", ignore_index=True), (), begin)
    if not models:
        return fleet
    past = fleet.history(_before(readings, known))
    bundles = tuple(learnt(plant, past, entry, known) for entry in plant.models if entry.machine_class == kind)
    return replace(fleet, bundles=bundles)


def _of(scenario: Scenario, machine: SimulatedMachine) -> tuple[pd.DataFrame, pd.DataFrame]:
    made = simulate_machine(scenario, machine)
    readings = made.readings.table.drop_columns(["arrived"]).to_pandas()
    for signal in machine.kind.signals:
        readings[signal.name] = readings[signal.name].where(readings[signal.name].between(signal.low, signal.high))
    return readings, made.events


def _before(table: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    return table[table["time"] <= pd.Timestamp(moment)]


def _from(table: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    return table[table["time"] > pd.Timestamp(moment)]


@dataclass(frozen=True, slots=True)
class MachineAlert:
    """An alert about a machine; ``end`` is far away while it lasts."""

    model: str
    begin: datetime
    end: datetime

    def unlike(self, others: Sequence["MachineAlert"]) -> bool:
        """Whether none of the others was open within a day of its begin."""
        return not any(each.model == self.model and each.begin - DAY <= self.begin <= each.end + DAY for each in others)


def said_of(fleet: Fleet, history: TableHistory, machine: str, span: tuple[datetime, datetime]) -> list[Assessments]:
    """Return what each model says of a machine in a span."""
    return [believed(fleet.plant, history, bundle, [machine], *span) for bundle in fleet.bundles]


def alerts(fleet: Fleet, said: Sequence[Assessments]) -> list[MachineAlert]:
    """Return every alert about a machine and not about a sensor or the machine."""
    return [
        MachineAlert(each.model, as_datetime(own.begin), NEVER if own.end is None else as_datetime(own.end))
        for each in said
        for own in episodes(about_machine(each), fleet.plant.alerts)
    ]


def looks_at(fleet: Fleet, said: Sequence[Assessments], start: datetime, end: datetime) -> set[str]:
    """Return the signals whose sensors alerts of (start, end] ask to look at first since each departs alone."""
    return {
        str(each.alone[own.row])
        for each in said
        if each.alone is not None
        for own in (*alerts_of(each, fleet.plant.alerts), *episodes(about_sensor(each), fleet.plant.alerts))
        if start < as_datetime(own.begin) <= end
    }


def blamed(health: Mapping[str, Health]) -> Counter[str]:
    """Return how often a sensor was blamed, by kind of fault."""
    found = Counter[str]()
    for each in health.values():
        bad = each.fault > 0
        begins = np.diff(bad, axis=1, prepend=False) & bad
        found.update([*WORDS][code - 1] for code in each.fault[begins].tolist())
    return found


def false_marks(fleet: Fleet, kind: str) -> tuple[Counter[str], float]:
    """Return how often a sensor of the machines without faults was blamed, and in how many years of a machine."""
    span = fleet.begin + LEARNT + SETTLED, fleet.begin + timedelta(days=DAYS)
    return _marks(fleet.plant, kind, fleet.history(), *span)


def marks_of_failing(kind: str, seed: int, machines: int) -> tuple[Counter[str], float]:
    """Return the same of machines that go on to fail as those of the sample plant do, with sensors that do not."""
    told = json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8"))
    scenario = replace(scenario_from(told), seed=seed, machines={kind: machines}, sensor_faults_per_machine_year=0.0)
    history = TableHistory(pd.concat([_of(scenario, each)[0] for each in scenario.plant()], ignore_index=True))
    begin = datetime.fromtimestamp(scenario.begin, UTC)
    span = begin + SETTLED, begin + timedelta(days=scenario.days)
    return _marks(load_plant(SAMPLE / "plant.toml"), kind, history, *span)


def _marks(
    plant: Plant, kind: str, history: TableHistory, start: datetime, end: datetime
) -> tuple[Counter[str], float]:
    names = sorted(history.spans(kind))
    health = sensor_health(history, plant.class_named(kind), names, start, end)
    return blamed(health), len(names) * ((end - start) / timedelta(days=365.25))


def cases(
    kind: str, seed: int, fleet: Fleet, machines: int, faults_of: Callable[..., Iterator[SensorFault]]
) -> Iterator[tuple[SensorFault, dict[str, float]]]:
    """Yield every fault of the first machines of a fleet with what came of it."""
    machine_class = fleet.plant.class_named(kind)
    end = fleet.begin + timedelta(days=DAYS)
    longest = max((bundle.recipe.lookback for bundle in fleet.bundles), default=DAY)
    truth = fleet.history()
    for machine in Scenario(machines={kind: machines}, seed=seed).plant():
        own = fleet.readings[fleet.readings["machine"] == machine.name]
        usual = alerts(fleet, said_of(fleet, truth, machine.name, (fleet.begin + HEALTHY - HOUR, end)))
        for fault in faults_of(kind, seed, machine, own, fleet.begin):
            start, over = (datetime.fromtimestamp(each, UTC) for each in (fault.begin, fault.end))
            last = min(over + longest, end)
            history = FaultyHistory(faulty(kind, own, fault, seed), truth, machine.name, start)
            span = fleet.begin + HEALTHY - HOUR, last
            health = sensor_health(history, machine_class, [machine.name], start - HOUR, last)[machine.name]
            bad = {name: health.hours[row > 0] for name, row in zip(health.signals, health.fault, strict=True)}
            own_hours = bad[fault.signal]
            during = own_hours[(own_hours > instant(start)) & (own_hours <= instant(over) + np.timedelta64(1, "h"))]
            said = said_of(fleet, history, machine.name, span)
            raised = alerts(fleet, said)
            yield (
                fault,
                {
                    "judged": float(len(during) > 0),
                    "found": float(len(during) > 0 or fault.signal in looks_at(fleet, said, start, over + HOUR)),
                    "hours": (during[0] - instant(start)) / np.timedelta64(1, "h") if len(during) else np.nan,
                    "others": sum(len(hours) > 0 for name, hours in bad.items() if name != fault.signal),
                    **_compared("more", raised, usual, start, over, last),
                    **_compared("less", usual, raised, start, over, last),
                    "base": sum(start < each.begin <= last for each in usual),
                    "all": sum(start < each.begin <= last for each in raised),
                    "weeks": (last - start) / WEEK,
                },
            )


def without_faults(kind: str, seed: int, fleet: Fleet, machines: int) -> tuple[int, float]:
    """Return how many machine alerts a whole fleet has while it is healthy, and in how many machine-weeks."""
    start, end, truth = fleet.begin + HEALTHY, fleet.begin + timedelta(days=DAYS), fleet.history()
    names = [machine.name for machine in Scenario(machines={kind: machines}, seed=seed).plant()]
    told = [alerts(fleet, said_of(fleet, truth, name, (start - HOUR, end))) for name in names]
    return sum(start < each.begin <= end for own in told for each in own), len(names) * ((end - start) / WEEK)


def _compared(
    name: str,
    some: Sequence[MachineAlert],
    others: Sequence[MachineAlert],
    start: datetime,
    over: datetime,
    last: datetime,
) -> dict[str, float]:
    new = [each.begin for each in some if each.unlike(others)]
    return {
        f"{name} during": sum(start < begin <= over for begin in new),
        f"{name} after": sum(over < begin <= last for begin in new),
    }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--machines", type=int, default=4, help="that have faults, of each class")
    parser.add_argument("--fleet", type=int, default=10, help="machines of each class")
    parser.add_argument("--classes", nargs="+", default=["pump", "spindle"])
    parser.add_argument("--plain", action="store_true", help="give faults the sizes from which on each is found")
    parser.add_argument("--each", action="store_true", help="print every fault with what came of it")
    asked = parser.parse_args()
    started = perf_counter()
    told: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    healthy, failing = Counter[str](), Counter[str]()
    watched, usual, weeks = np.zeros(2), 0, 0.0
    for kind in asked.classes:
        for seed in asked.seeds:
            fleet = fleet_of(kind, seed, asked.fleet)
            found, span = without_faults(kind, seed, fleet, asked.fleet)
            usual, weeks = usual + found, weeks + span
            for place, (said, (marks, years)) in enumerate(
                ((healthy, false_marks(fleet, kind)), (failing, marks_of_failing(kind, seed, asked.fleet)))
            ):
                said.update(marks)
                watched[place] += years
            for fault, what in cases(kind, seed, fleet, asked.machines, plain if asked.plain else drawn):
                told[fault.kind, kind, fault.signal].append(what)
                told[fault.kind, "all", ""].append(what)
                if asked.each:
                    _say(f"{kind} {seed} {fault} {what}")
    _say(f"{'fault':<10} {'signal':<30}  found judged  hours  others   more (less) during | after | base rate")
    for (fault_kind, kind, signal), each in sorted(
        told.items(), key=lambda row: (KINDS_OF_FAULT.index(row[0][0]), row[0][1:])
    ):
        table = pd.DataFrame(each)
        total = table.sum().astype(int)
        _say(
            f"{fault_kind:<10} {kind + ' ' + signal:<30} {total['found']:>3}/{len(table):<3} {total['judged']:>6}"
            f" {table['hours'].median():>6.1f} {total['others']:>6}"
            f" {total['more during']:>9} ({total['less during']}) | {total['more after']} ({total['less after']})"
            f" | {total['base']}"
        )
    faults = pd.DataFrame([each for (_, kind, _), own in told.items() if kind == "all" for each in own])
    for name, count, length in (
        ("with a fault or after one", int(faults["all"].sum()), float(faults["weeks"].sum())),
        ("without any", usual, weeks),
    ):
        rate = poisson_rate(count, length)
        _say(f"{name}: {count} machine alerts, {rate.value:.4f} [{rate.low:.4f}-{rate.high:.4f}] a machine-week")
    for name, said, years in zip(("healthy", "failing"), (healthy, failing), watched, strict=True):
        kinds = ", ".join(f"{code} {count}" for code, count in said.most_common())
        _say(f"{name}, without faults: {said.total()} sensors blamed in {years:.1f} years of a machine: {kinds}")
    _say(f"{perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
