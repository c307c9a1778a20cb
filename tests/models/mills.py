"""Mills that are told how fast to run, in memory: temperature and vibration follow the speed, by a law of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.extract import extract
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.event import Event
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Regime, Signal
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import recipe_until
from tests.features.table_history import TableHistory, after, readings_frame

HOURS = 40 * 24
MACHINES = tuple(f"mill-{number}" for number in range(5))
SLOW, FAST = 1000.0, 1500.0
BY_EXPRESSION = (("slow", "speed > 800 and speed < 1250"), ("fast", "speed >= 1250 and speed < 1800"))


def mill_plant(*, operating: bool = True, regimes: Sequence[tuple[str, str]] = (), **entry: Any) -> Plant:
    """Return a plant whose mills have an operating speed, declared regimes, both or neither."""
    wanted = {
        "name": "strange mill", "task": "anomaly", "class": "mill", "horizon": "24 h",
        "windows": ["6 h", "24 h"], "stride": "2 h", **entry,
    }  # fmt: skip
    every = timedelta(minutes=30)
    return Plant(
        name="Mill",
        classes=[
            MachineClass(
                name="mill",
                signals=[
                    Signal(name="speed", unit="1/min", every=every, operating=operating),
                    Signal(name="temperature", unit="degC", every=every),
                    Signal(name="vibration", unit="mm/s", every=every),
                ],
                regimes=[Regime(name=name, when=when) for name, when in regimes],
            )
        ],
        machines=[Machine(name=name, machine_class="mill") for name in MACHINES],
        models=[ModelEntry.model_validate(wanted)],
    )


def orders(number: int, *, hours: int = HOURS, days: int = 5, speeds: Sequence[float] = (SLOW, FAST)) -> np.ndarray:
    """Return the speed of a mill every half hour: one speed after the other, each for some days."""
    turn = (np.arange(2 * hours) // (48 * days) + number) % len(speeds)
    return np.array(speeds)[turn]


def mill_history(
    *,
    speed_of: dict[str, np.ndarray] | None = None,
    hotter: dict[str, np.ndarray] | None = None,
    hours: int = HOURS,
    events: Sequence[Event] = (),
) -> TableHistory:
    """Return mills that change their speed every five days, by default.

    Parameters
    ----------
    speed_of, hotter : of some mills, another speed, and what is added to the temperature, every half hour
    """
    frames = []
    for number, name in enumerate(MACHINES):
        random = np.random.default_rng(number)
        speed = (speed_of or {}).get(name, orders(number, hours=hours))
        noise = random.standard_normal((3, len(speed)))
        temperature = 20 + 2 * random.standard_normal() + 0.04 * speed + 0.5 * noise[1]
        vibration = 1 + 1e-6 * speed**2 + 0.05 * noise[2]
        frames.append(
            readings_frame(
                name,
                30.0 * np.arange(len(speed)),
                speed=speed + 3 * noise[0],
                temperature=temperature + (hotter or {}).get(name, 0.0),
                vibration=vibration,
            )
        )
    return TableHistory(pd.concat(frames), events)


def mill_table(plant: Plant, history: TableHistory, *, hours: int = HOURS) -> tuple[Recipe, FeatureTable]:
    """Return the recipe of the plant's model, and its rows up to some hours."""
    recipe = recipe_until(plant, history, plant.models[0], after(hours=hours))
    return recipe, extract(recipe, history, MACHINES, datetime(2000, 1, 1, tzinfo=UTC), after(hours=hours))


def mill_bundle(plant: Plant, history: TableHistory, *, hours: int = HOURS) -> Bundle:
    """Return the plant's model, learnt from all that the history holds up to some hours."""
    recipe, table = mill_table(plant, history, hours=hours)
    return fit_bundle(plant.models[0], plant, recipe, table, history.events(), after(hours=hours))
