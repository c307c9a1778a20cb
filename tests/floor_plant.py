"""A plant from the simulator with a floor, held in memory: what finders, jobs and trials look at."""

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from ingest.event import Event
from ingest.plant import Plant
from ingest.simulation.machine import MachineDay, scenario_days
from ingest.simulation.plant_text import file_sources, plant_text
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario
from tests.features.table_history import TableHistory

PRESSES = {"press": 2}


@dataclass
class FloorPlant:
    """A simulated plant, its history, and what each planted loss took on each local day: ``lost[place][day]``."""

    scenario: Scenario
    plant: Plant
    history: TableHistory
    lost: dict[int, dict[int, float]]

    def midnight(self, day: int) -> datetime:
        """Return when a day of the scenario begins."""
        begin = datetime.combine(self.scenario.start, datetime.min.time(), self.plant.zone)
        return (begin + timedelta(days=day)).astimezone(UTC)


def floor_plant(*losses: PlantedLoss, **settings: Any) -> FloorPlant:
    """Return a plant of two presses for 60 days, unless told otherwise, without failures unless they are asked for."""
    told = {"machines": PRESSES, "days": 60, "every": timedelta(hours=1), "failures_per_machine_year": 0, **settings}
    scenario = Scenario(floor=True, losses=losses, **told)
    text = plant_text(scenario, file_sources(scenario, "csv", production=False), defaultdict(bool), files=True)
    plant = Plant.model_validate(tomllib.loads(text))
    lost: dict[int, dict[int, float]] = {place: {} for place in range(len(losses))}
    events: list[Event] = []
    for machine in scenario.plant():
        for number, day in enumerate(scenario_days(scenario, machine)):
            events += _events(day)
            for place, amount in day.lost.items():
                lost[place][number] = lost[place].get(number, 0.0) + amount
    empty = pd.DataFrame({"machine": [], "time": pd.to_datetime([], utc=True), "power": []})
    return FloorPlant(scenario, plant, TableHistory(empty, events), lost)


def _events(day: MachineDay) -> list[Event]:
    return [each.event(day.machine.name) for each in day.happenings if each.kind != "error"]
