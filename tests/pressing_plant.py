"""A plant of presses from the simulator with its readings and its counts, held in memory: what levers are found in."""

import tomllib
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from ingest.plant import Plant
from ingest.simulation.machine import readings, scenario_days
from ingest.simulation.plant_text import file_sources, plant_text
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario
from models.moment import as_datetime
from tests.features.table_history import TableHistory

PRESSES = ("press-01", "press-02")


def cold_oil(size: float = 0.02, below: float = 45.0) -> tuple[PlantedLoss, ...]:
    """Return scrap that every press makes more of in hours in which its oil is cold."""
    return tuple(
        PlantedLoss(machine=name, kind="scrap", size=size, signal="oil_temperature", below=below) for name in PRESSES
    )


def pressing_plant(*losses: PlantedLoss, seed: int = 1, **settings: Any) -> tuple[Plant, TableHistory]:
    """Return two presses for 60 days, read every 20 minutes; nothing fails, and no sensor is wrong."""
    told: dict[str, Any] = {
        "machines": {"press": 2},
        "days": 60,
        "every": timedelta(minutes=20),
        "failures_per_machine_year": 0,
        "sensor_faults_per_machine_year": 0,
        "seed": seed,
        **settings,
    }
    scenario = Scenario(floor=True, losses=losses, **told)
    text = plant_text(scenario, file_sources(scenario, "csv", production=False), defaultdict(bool), files=True)
    frames, events = [], []
    for machine in scenario.plant():
        days = list(scenario_days(scenario, machine))
        frames.append(readings(days).table.drop_columns(["arrived"]).to_pandas())
        events += [each.event(machine.name) for day in days for each in day.happenings if each.kind != "error"]
    return Plant.model_validate(tomllib.loads(text)), TableHistory(pd.concat(frames, ignore_index=True), events)


def whole_span(history: TableHistory) -> tuple[datetime, datetime]:
    """Return from before the first reading to the newest."""
    times = history.readings["time"].to_numpy("datetime64[us]")
    return as_datetime(times.min()) - timedelta(hours=1), as_datetime(times.max())
