"""A made-up plant in memory, kind by kind, with the truth about it and a plant file that fits."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.simulation.machine import MachineHistory, simulate_machine
from ingest.simulation.plant_text import plant_text
from ingest.simulation.scenario import Scenario
from tests.features.table_history import TableHistory

_SOURCES = '\n[[sources]]\nname = "none"\npath = "none.csv"\nmachine = "machine"\ntime = "time"\n'


@dataclass(frozen=True, slots=True)
class MadeKind:
    """All machines of one kind.

    Attributes
    ----------
    truth : see ``ingest.simulation.truth``
    """

    name: str
    scenario: Scenario
    plant: Plant
    entry: ModelEntry
    history: TableHistory
    truth: pd.DataFrame


def made_plant(scenario: Scenario) -> Plant:
    """Return the plant file of a scenario as the simulator writes it, every kind with a failure model."""
    foreseeable = dict.fromkeys(scenario.machines_per_kind, True)
    text = plant_text(scenario, _SOURCES, foreseeable, files=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plant.toml"
        path.write_text(text, encoding="utf-8")
        return load_plant(path)


def made_kinds(scenario: Scenario, task: str = "failure_risk") -> Iterator[MadeKind]:
    """Yield the kinds of a scenario with their model of a task, one in memory at a time."""
    plant = made_plant(scenario)
    for kind in scenario.machines_per_kind:
        own = [simulate_machine(scenario, each) for each in scenario.plant() if each.kind.name == kind]
        (entry,) = (each for each in plant.models if each.machine_class == kind and each.task == task)
        truth = pd.concat([each.truth for each in own], ignore_index=True)
        yield MadeKind(kind, scenario, plant, entry, history_of(own), truth)


def history_of(machines: list[MachineHistory]) -> TableHistory:
    """Return readings as they would be stored, without those that no sensor of the signal can give, and events."""
    frames, events = [], []
    for made in machines:
        frame = made.readings.table.drop_columns(["arrived"]).to_pandas()
        for signal in made.machine.kind.signals:
            frame[signal.name] = frame[signal.name].where(frame[signal.name].between(signal.low, signal.high))
        frames.append(frame)
        events.append(made.events)
    history = TableHistory(pd.concat(frames, ignore_index=True))
    together = pd.concat(events, ignore_index=True)
    history.known_events = together.sort_values("time", kind="stable", ignore_index=True)
    return history
