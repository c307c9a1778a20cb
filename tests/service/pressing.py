"""A month of one press behind the interface: readings, counts, and scrap that comes with low temperature."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.event import Event, events_table
from ingest.reading import Readings, readings_schema
from tests.models.moulds import slow

DAYS, LIMIT = 30, 62.0


def press_a_month(works: Any, *, ratio: float = 4.0) -> None:
    """Keep a month of readings and hourly counts of press-1; scrap is so many times as frequent below 62 °C."""
    plant = works.room.plant
    told = {"products": [{"name": "cap", "ideal_cycle": "20 s", "scrap_cost": 1.5}]}
    object.__setattr__(works.room, "plant", plant.model_validate({**plant.model_dump(by_alias=True), **told}))
    random = np.random.default_rng(0)
    hours = DAYS * 24
    start = works.now.replace(minute=0) - timedelta(hours=hours)
    warm = LIMIT + 3 * slow(random, hours, 0.9)
    shaken = 2 + 0.3 * slow(random, hours, 0.9)
    times = [start + timedelta(minutes=each + 1) for each in range(60 * hours)]
    columns = {"temperature": np.repeat(warm, 60), "vibration": np.repeat(shaken, 60)}
    table = pa.table(
        {"machine": ["press-1"] * len(times), "time": times, "arrived": times, **columns},
        schema=readings_schema(("temperature", "vibration")),
    )
    works.room.store.append(Readings("press", table), source="test", position="a month")
    scrap = random.binomial(150, np.where(warm < LIMIT, 0.01 * ratio, 0.01))
    works.room.store.add_events(
        events_table(
            Event(
                machine="press-1",
                kind="count",
                time=start + timedelta(hours=place + 1),
                component="cap",
                code=code,
                value=float(amount),
            )
            for place, bad in enumerate(scrap)
            for code, amount in (("good", 150 - bad), ("scrap", bad))
        ),
        source="test",
    )
