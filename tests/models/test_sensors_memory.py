"""The health of sensors takes bounded memory, however often they are read, and says the same in slices."""

import tracemalloc
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ingest.event import events_table
from ingest.memory import Memory
from ingest.plant import MachineClass, Signal
from ingest.reading import Readings, readings_schema
from models.sensors import block
from models.sensors.block import coarseness, read_blocks
from models.sensors.health import sensor_health
from tests.features.table_history import TableHistory

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = ("flow", "power", "pressure")


class TwiceASecond:
    """A history that makes up what is asked for: noise that repeats each hour; the flow is stuck from a time on."""

    def __init__(self, stuck_from: datetime) -> None:
        self.stuck_from = stuck_from
        self.most_bytes_read = 0
        self._memory = Memory()
        self._noise = np.random.default_rng(1).standard_normal((3, 7_201))

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return one reading each 500 ms of (start, end]."""
        assert start is not None
        assert end is not None
        tick = timedelta(milliseconds=500)
        ticks = np.arange((max(start, START) - START) // tick + 1, (end - START) // tick + 1)
        time = np.datetime64(START.replace(tzinfo=None), "us") + ticks * np.timedelta64(500_000, "us")
        values = self._noise[:, ticks % self._noise.shape[1]]
        values[0, time >= np.datetime64(self.stuck_from.replace(tzinfo=None))] = 0.5
        stamps = pa.array(time).cast(pa.timestamp("us", "UTC"))
        machine = pa.DictionaryArray.from_arrays(np.zeros(len(ticks), np.int32), pa.array(["m1"]))
        table = pa.table([machine, stamps, stamps, *values], names=["machine", "time", "arrived", *NAMES])
        table = table.cast(readings_schema(NAMES))
        self.most_bytes_read = max(self.most_bytes_read, table.nbytes)
        return Readings(machine_class, table)

    def events(self, **_: Any) -> pd.DataFrame:
        """Return none."""
        return events_table([])

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return none."""
        return events_table([])

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the span of the one machine."""
        return {"m1": (START, START + timedelta(days=30))}

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Remember what was worked out, as a store does."""
        return self._memory.recall("unchanged", [(machine_class, start, end, key) for key in keys], work)


def test_a_fortnight_at_two_readings_a_second_takes_bounded_memory_and_a_stuck_sensor_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a small part of the room, so that it is soon done."""
    monkeypatch.setattr(block, "MOST_CELLS", block.MOST_CELLS // 40)
    monkeypatch.setattr(block, "CELLS_AT_ONCE", block.CELLS_AT_ONCE // 20)
    until = START + timedelta(days=22)
    history = TwiceASecond(stuck_from=until - 5 * HOUR)
    pump = MachineClass(name="pump", signals=[Signal(name=name) for name in NAMES])

    tracemalloc.start()
    health = sensor_health(history, pump, ["m1"], until - HOUR, until)["m1"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert {name: code for name, (code, _) in health.now().items()} == {"flow": "stuck"}
    assert history.most_bytes_read < 3e6, "of 4 million rows, 180 MB"
    assert peak < 20e6


def blocks(history: TableHistory, every: timedelta) -> list[tuple[str, list[Any], list[Any]]]:
    found = read_blocks(history, "pump", ["flow", "power"], ["m1", "m2"], START, START + 30 * HOUR, every)
    return [(name, each.time.tolist(), each.values.tolist()) for name, each in found]


def test_slices_and_groups_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    frames = []
    for machine in ("m1", "m2"):
        at = np.unique(random.integers(1, 30 * 3600 * 4, 3000))
        time = pd.to_datetime(START) + pd.to_timedelta(at / 4, unit="s")
        values = random.standard_normal((2, len(at)))
        values[random.random(values.shape) < 0.3] = np.nan
        frames.append(pd.DataFrame({"machine": machine, "time": time, "flow": values[0], "power": values[1]}))
    history = TableHistory(pd.concat(frames, ignore_index=True))

    whole = blocks(history, timedelta(minutes=1))
    monkeypatch.setattr(block, "CELLS_AT_ONCE", 300)
    history.most_rows_read = 0
    sliced = blocks(history, timedelta(minutes=10))
    monkeypatch.setattr(block, "MACHINES_AT_ONCE", 1)

    assert str(sliced) == str(whole)
    assert str(blocks(history, timedelta(minutes=1))) == str(whole)
    assert history.most_rows_read < 2000, "the first slice, and shorter ones once it is known how many there are"
    assert {name for name, *_ in whole} == {"m1", "m2"}


def test_of_each_step_the_newest_value_of_each_signal_is_kept() -> None:
    frame = pd.DataFrame(
        {
            "machine": "m1",
            "time": [START + timedelta(seconds=each) for each in (0.2, 0.6, 1.0, 1.2, 5.0)],
            "flow": [1.0, 2.0, np.nan, 4.0, np.nan],
            "power": [np.nan, 1.0, 2.0, np.nan, 3.0],
        }
    )
    ((_, found),) = read_blocks(
        TableHistory(frame), "pump", ["flow", "power"], ["m1"], START, START + HOUR, timedelta(seconds=1)
    )

    assert (found.time - np.datetime64(START.replace(tzinfo=None))).astype(float).tolist() == [1e6, 1.2e6, 5e6]
    assert str(found.values.tolist()) == "[[2.0, 4.0, nan], [2.0, nan, 3.0]]"


def test_a_step_divides_the_hour_and_makes_a_fortnight_fit() -> None:
    for signals in (1, 3, 4, 10, 50, 200, 900):
        step = coarseness(signals)
        assert np.timedelta64(1, "h") % step == np.timedelta64(0, "s")
        assert signals * (np.timedelta64(14, "D") // step) <= block.MOST_CELLS
