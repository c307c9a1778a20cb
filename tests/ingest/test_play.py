"""A made-up plant that is played: in order, at its pace, and never ahead of the clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ingest.simulation.machine import simulate
from ingest.simulation.play import Played, play
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch

PLANT = Scenario(machines={"pump": 1, "press": 1}, days=2, every=timedelta(minutes=20), seed=3)
TODAY = datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)


@dataclass
class Wall:
    """A clock that moves only when somebody sleeps."""

    time: datetime = TODAY

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Taker:
    """A target that takes all but what it refuses, and notes when it came."""

    wall: Wall
    tables: str = ""
    came: list[tuple[datetime, LiveBatch]] = field(default_factory=list)

    def send(self, batch: LiveBatch) -> int:
        self.came.append((self.wall.time, batch))
        return sum(each.count for each in batch.readings)

    def __enter__(self) -> "Taker":
        return self

    def __exit__(self, *_: object) -> None: ...

    def readings(self) -> pa.Table:
        tables = [each.table.select(["machine", "time"]) for _, batch in self.came for each in batch.readings]
        return pa.concat_tables(tables).sort_by([("machine", "ascending"), ("time", "ascending")])


def played(taker: Taker, *, speed: int, now: bool = False) -> Played:
    *_, last = play(PLANT, taker, speed=speed, now=now, clock=taker.wall.now, sleep=taker.wall.sleep)
    return last


@pytest.mark.parametrize("speed", [0, 1_800])
def test_all_that_the_files_would_hold_is_sent(speed: int) -> None:
    taker = Taker(Wall())

    last = played(taker, speed=speed)

    histories = list(simulate(PLANT))
    expected = pa.concat_tables([each.readings.table.select(["machine", "time"]) for each in histories])
    assert taker.readings().equals(expected.sort_by([("machine", "ascending"), ("time", "ascending")]))
    assert last.readings == last.taken == sum(each.readings.count for each in histories)
    assert (last.until, last.through) == (datetime(2026, 1, 7, tzinfo=UTC), 1.0)


def test_it_goes_at_its_pace() -> None:
    taker = Taker(Wall())

    played(taker, speed=1_800)

    assert taker.wall.time - TODAY == timedelta(seconds=96)
    for wall, batch in taker.came:
        # A batch is sent when its span is over: half an hour of the plant in a second.
        assert batch.until - datetime(2026, 1, 5, tzinfo=UTC) == (wall - TODAY) * 1_800


@pytest.mark.parametrize(("speed", "lasts"), [(0, 0), (1_800, 96), (300, 576)])
def test_times_of_today_end_with_the_play_and_are_never_ahead(speed: int, lasts: int) -> None:
    taker = Taker(Wall())

    last = played(taker, speed=speed, now=True)

    ends = TODAY + timedelta(seconds=lasts)
    assert last.until == ends.replace(microsecond=0)
    for wall, batch in taker.came:
        assert batch.until <= wall
        for each in batch.readings:
            assert max(each.table["time"].to_pylist()) < batch.until
        if len(batch.events):
            assert batch.events["time"].max() < batch.until


def test_a_slow_target_is_late_and_misses_nothing() -> None:
    class Slow(Taker):
        def send(self, batch: LiveBatch) -> int:
            self.wall.sleep(5)
            return super().send(batch)

    taker = Slow(Wall())

    last = played(taker, speed=1_800)

    assert last.readings == played(Taker(Wall()), speed=0).readings
    assert taker.wall.time - TODAY > timedelta(seconds=96)
