"""Fans that are told another speed with every reading and wear all the while, in memory."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from features.extract import extract
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.event import Event
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from models.judging.backtest import recipe_until
from tests.features.table_history import TableHistory, after, readings_frame

MACHINES = tuple(f"fan-{number:02}" for number in range(24))
SPEEDS = np.array([600.0, 900.0, 1500.0])
LONGEST = 160


def life_of(number: int) -> int:
    """Return after how many hours a fan fails, 90 to 159."""
    return 90 + (number * 37) % 70


def fan_plant(*, held: int = 0, **entry: Any) -> Plant:
    """Return a plant whose last ``held`` fans are held out."""
    wanted = {
        "name": "life of fans", "task": "remaining_life", "class": "fan", "horizon": "24 h", "needed_lead": "2 h",
        "windows": ["6 h", "24 h", "200 h"], "min_fill": 0.0, "stride": "1 h", "split": "machine", **entry,
    }  # fmt: skip
    every = pd.Timedelta(hours=1).to_pytimedelta()
    return Plant(
        name="Fans",
        classes=[
            MachineClass(
                name="fan",
                signals=[
                    Signal(name="speed", unit="1/min", every=every, operating=True),
                    Signal(name="current", unit="A", every=every),
                    Signal(name="vibration", unit="mm/s", every=every),
                ],
            )
        ],
        machines=[
            Machine(name=name, machine_class="fan", hold_out=place >= len(MACHINES) - held)
            for place, name in enumerate(MACHINES)
        ],
        models=[ModelEntry.model_validate(wanted)],
    )


def fan_history(*, until: int = 0, stopped: tuple[int, ...] = (), odd: str = "") -> TableHistory:
    """Return fans whose current rises in their last 60 hours.

    Parameters
    ----------
    until : hour after which nothing was read; all is read when left out
    stopped : fans that were taken out of service 20 hours before they would have failed
    odd : a fan that is told a speed that no other knows, from hour 50 on
    """
    frames, events = [], []
    for number, name in enumerate(MACHINES):
        random, life = np.random.default_rng(number), life_of(number)
        hours = np.arange(1, life + 1)
        speed = random.choice(SPEEDS, life)
        speed = np.where((hours > 50) & (name == odd), 1200.0, speed)
        wear = np.maximum(0, 60 - (life - hours)) / 60
        current = (speed / 300) ** 2 * (1 + 0.1 * wear + 0.01 * random.standard_normal(life))
        vibration = speed / 1000 + 0.05 * random.standard_normal(life)
        last = min(until or life, life - 20 if number in stopped else life)
        frame = readings_frame(
            name, hours * 60.0, speed=speed + random.standard_normal(life), current=current, vibration=vibration
        )
        frames.append(frame[:last])
        if last == life:
            events.append(Event(machine=name, kind="failure", time=after(hours=life)))
    return TableHistory(pd.concat(frames), events)


def fan_table(plant: Plant, history: TableHistory, hours: int = LONGEST) -> tuple[Recipe, FeatureTable]:
    """Return the recipe of the plant's model, and the rows of the machines that it may learn from."""
    recipe = recipe_until(plant, history, plant.models[0], after(hours=hours))
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    return recipe, extract(recipe, history, plant.teachers_of("fan"), begin, after(hours=hours))
