"""How long pages of a large plant take: made by the server, and shown by a real browser.

Run as ``python -m tests.benchmarks.dashboard [--machines 1000]``; prints times, asserts none.
"""

import argparse
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import structlog
from starlette.testclient import TestClient

from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.registry.registry import Registry
from service.app import create_app
from service.control_room import ControlRoom
from service.database import assessment_table, open_state
from service.settings import Settings
from tests.browser import Tab, chromium
from tests.running_app import running_app

RUNS = 7
PATHS = ("/", "/plant", "/plant?show=abnormal")


def plant_of(folder: Path, machines: int) -> Plant:
    """Return a plant of areas with lines of 20 presses."""
    press = MachineClass(name="press", signals=[Signal(name="vibration", unit="mm/s", every="1 min")])
    named = [
        Machine(name=f"press-{each}", machine_class="press", area=f"Area {each // 200}", line=f"Line {each // 20}")
        for each in range(machines)
    ]
    models = [ModelEntry(name="press failure", task="failure_risk", machine_class="press", horizon="24 h")]
    return Plant(name="Large works", classes=[press], machines=named, models=models, folder=folder)


def fill(room: ControlRoom, now: datetime) -> None:
    """Give each machine an hour of readings and a level; one in fifty is over its threshold."""
    names = [each.name for each in room.plant.machines]
    times = [now - timedelta(minutes=each) for each in reversed(range(60))]
    table = pa.table(
        {
            "machine": np.repeat(names, 60),
            "time": times * len(names),
            "arrived": times * len(names),
            "vibration": np.random.default_rng(1).normal(2, 0.1, 60 * len(names)),
        },
        schema=readings_schema(("vibration",)),
    )
    room.store.append(Readings("press", table), source="bench", position="1")
    row = {"model": "press failure", "time": now, "version": "ab", "reason": "ok", "threshold": 0.5}
    rows = [row | {"machine": name, "level": 0.1 if at % 50 else 0.9} for at, name in enumerate(names)]
    with room.state.write() as connection:
        connection.execute(assessment_table.insert(), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=1000)
    machines = parser.parse_args().machines
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        plant = plant_of(Path(folder), machines)
        store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
        settings = Settings(jobs=False, hosts=("testserver",))
        room = ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state)
        fill(room, now)
        app = create_app(settings, clock=lambda: now, open_room=lambda _: room)
        with TestClient(app, headers={"Accept": "text/html"}) as client:
            for path in PATHS:
                took = []
                for _ in range(RUNS):
                    begun = perf_counter()
                    size = len(client.get(path).raise_for_status().content)
                    took.append(1000 * (perf_counter() - begun))
                print(f"{path:22} {machines} machines: made in {statistics.median(took):6.0f} ms, {size:8,} bytes")
        store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
        room = ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state)
        with (
            running_app(create_app(settings, clock=lambda: now, open_room=lambda _: room)) as port,
            chromium() as found,
        ):
            for path in PATHS:
                tab = Tab(found)
                begun = perf_counter()
                tab.page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load")
                print(f"{path:22} {machines} machines: shown in {1000 * (perf_counter() - begun):5.0f} ms")
                tab.close()


if __name__ == "__main__":
    main()
