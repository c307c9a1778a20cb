"""What is streamed equals what is extracted, bit for bit, after each arrival (FE-01)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.extract import extract
from features.microsecond import EPOCH, moment
from features.recipe import Recipe
from features.running import Running
from features.stream import Stream
from features.streamed import Streamed
from features.table import FeatureTable
from features.waveform import Waveform
from ingest.event import Event, events_table
from ingest.history import History
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.reading import Readings
from ingest.rebuild import rebuild
from ingest.store import Store
from tests.features.table_history import START, TableHistory, after, readings_frame
from tests.features.test_causality import AT_TIMES_OFF, MINUTE, OF_EACH_KIND, RECIPE, Row, pasts

NAMES = ("m1", "m2", "m3")
MOMENTS = Recipe(
    machine_class="pump",
    signals=("pressure", "flow"),
    windows=(6 * MINUTE, 30 * MINUTE),
    stride=3 * MINUTE,
    every=(2 * MINUTE, 5 * MINUTE),
)
END = 200.0
LONG_AGO = START - timedelta(days=1)


class Growing:
    """A store in memory: rows and events in the order of their arrival; of one time and signal the last one counts."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.known_events: list[Event] = []
        self._now: TableHistory | None = None

    def add(self, rows: Sequence[Row] = (), events: Sequence[Event] = ()) -> None:
        self.rows += rows
        self.known_events += events
        self._now = None

    def now(self) -> TableHistory:
        if self._now is None:
            merged: dict[tuple[str, float], list[float | None]] = {}
            for machine, minute, *values in self.rows:
                known = merged.setdefault((machine, minute), [None, None])
                known[:] = [old if new is None else new for old, new in zip(known, values, strict=True)]
            rows: list[Row] = [(*key, values[0], values[1]) for key, values in merged.items()]
            self._now = TableHistory(frame_of(rows), self.known_events)
        return self._now

    def read(self, machine_class: str, **asked: Any) -> Readings:
        return self.now().read(machine_class, **asked)

    def events(self, **asked: Any) -> pd.DataFrame:
        return self.now().events(**asked)

    def states(self, *asked: Any) -> pd.DataFrame:
        return self.now().states(*asked)

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        return self.now().spans(machine_class)

    def derived(self, *asked: Any) -> list[Any]:
        return self.now().derived(*asked)


@dataclass(frozen=True)
class Step:
    """What arrives together; or a restart of the stream."""

    rows: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()
    restart: bool = False


class Copy:
    """All that streams gave, each span in the place of what was given of it before."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, datetime], bytes] = {}
        self.given: dict[str, datetime] = {}

    def take(self, streamed: Streamed) -> None:
        for machine, (begin, end) in streamed.spans.items():
            self.rows = {key: row for key, row in self.rows.items() if key[0] != machine or not begin < key[1] <= end}
            self.given[machine] = end
        found = content(streamed.table)
        assert list(found) == sorted(found)
        for machine, time in found:
            begin, end = streamed.spans[machine]
            assert begin < time <= end
        self.rows |= found

    def of(self, machine: str, begin: datetime, end: datetime) -> dict[tuple[str, datetime], bytes]:
        return within(self.rows, machine, begin, end)


def within(
    rows: dict[tuple[str, datetime], bytes], machine: str, begin: datetime, end: datetime
) -> dict[tuple[str, datetime], bytes]:
    return {key: row for key, row in rows.items() if key[0] == machine and begin < key[1] <= end}


def content(table: FeatureTable) -> dict[tuple[str, datetime], bytes]:
    """Return the bytes of each row."""
    off = np.zeros(len(table)) if table.off is None else table.off
    rows = np.column_stack([table.values, table.filled, off, table.filled_by_signal])
    times = pd.DatetimeIndex(table.time, tz="UTC").to_pydatetime()
    return {(str(name), time): row.tobytes() for name, time, row in zip(table.machine, times, rows, strict=True)}


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    frame = readings_frame("", columns[1], pressure=np.array(columns[2], float), flow=np.array(columns[3], float))
    return frame.assign(machine=columns[0])


def as_they_came(rows: Sequence[Row]) -> Readings:
    history = TableHistory(frame_of(rows))
    history.readings = frame_of(rows)
    return history.read("pump")


def last_end(recipe: Recipe, newest: datetime) -> datetime:
    return newest - (newest - EPOCH) % recipe.stride


def check(copy: Copy, recipe: Recipe, store: History, late_within: timedelta, spans: dict[str, Any]) -> None:
    """Rows given now, and all that may still change, are those extracted from what the store holds now."""
    expected = content(extract(recipe, store, NAMES, LONG_AGO, after(minutes=END + 100)))
    for machine, (_, newest) in store.spans("pump").items():
        end = last_end(recipe, newest)
        begin = min([newest - late_within, *spans.get(machine, ())[:1]])
        assert copy.of(machine, begin, end) == within(expected, machine, begin, end)
        assert not copy.of(machine, end, after(days=9)), "no row of a window that is not over"


def follow(recipe: Recipe, steps: Sequence[Step], late_within: timedelta, *, singly: bool) -> None:
    """Let steps arrive, and hold what is streamed against what is extracted after each of them."""
    store, copy = Growing(), Copy()
    stream = Stream(recipe, store, since=LONG_AGO, late_within=late_within)
    for step in steps:
        if step.restart:
            stream = Stream(recipe, store, since=LONG_AGO, late_within=late_within, given=copy.given)
        streamed = []
        if singly:
            for row in step.rows:
                store.add([row])
                values = [np.nan if value is None else value for value in row[2:]]
                streamed.append(stream.put(row[0], moment(after(minutes=row[1])), values))
            store.add((), step.events)
            streamed.append(stream.take(events=events_table(step.events)))
        else:
            store.add(step.rows, step.events)
            streamed.append(stream.take(as_they_came(step.rows), events_table(step.events)))
        for each in streamed:
            copy.take(each)
        check(copy, recipe, store, late_within, streamed[-1].spans)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Step]:
    """Draw steps in the order of their arrival: most readings in the order of time, some late, some again."""
    past = draw(pasts(0.0, END, rows=30))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    again, late, longest = (
        draw(st.sampled_from([0.0, 0.1, 0.4])),
        draw(st.sampled_from([0.02, 0.0, 0.3])),
        90 * random.random(),
    )
    rows = [*past.rows]
    for machine, minute, *_ in past.rows:
        if random.random() < again:
            rows.append((machine, minute, *random.choice(np.array([None, 1.0, -7.5]), 2).tolist()))
    delay = np.where(random.random(len(rows)) < late, longest * random.random(len(rows)), 0.0)
    order = np.argsort(np.array([row[1] for row in rows]) + delay, kind="stable")
    cuts = np.sort(random.integers(0, len(rows) + 1, draw(st.integers(1, 9))))
    steps = [Step(rows=tuple(rows[place] for place in part)) for part in np.split(order, cuts)]
    others = [Step(events=(event,)) for event in past.events] + [Step(restart=True)] * draw(st.integers(0, 2))
    for each in others:
        steps.insert(draw(st.integers(0, len(steps))), each)
    return steps


@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("recipe", [MOMENTS, OF_EACH_KIND, AT_TIMES_OFF], ids=["moments", "each kind", "at times off"])
@settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=arrivals(), late_within=st.sampled_from([0, 10, 47, 300]), singly=st.booleans())
def test_after_each_arrival_the_rows_are_those_of_extract(
    recipe: Recipe, steps: list[Step], late_within: int, singly: bool
) -> None:
    follow(recipe, steps, late_within * MINUTE, singly=singly)


def steady(minutes: Sequence[float], machine: str = "m1") -> list[Row]:
    random = np.random.default_rng(3)
    return [(machine, minute, *random.normal(50, 2, 2).tolist()) for minute in minutes]


@pytest.mark.parametrize("recipe", [MOMENTS, RECIPE, AT_TIMES_OFF], ids=["moments", "every feature", "at times off"])
def test_a_machine_is_read_from_the_store_once_whatever_comes_within_the_time_for_late_readings(recipe: Recipe) -> None:
    store, copy, late = Growing(), Copy(), 20 * MINUTE
    stream = Stream(recipe, store, since=LONG_AGO, late_within=late)
    rows = steady(range(1, 150))
    for row in [*rows[:110], *rows[120:130], *rows[112:120], *rows[122:125], *rows[130:]]:
        store.add([row])
        copy.take(stream.take(as_they_came([row])))
    assert stream.read_again == 1
    check(copy, recipe, store, late, {})


def test_a_late_reading_gives_the_rows_again_that_hold_it_and_no_older_ones() -> None:
    store = Growing()
    store.add(steady(range(1, 61)))
    stream = Stream(MOMENTS, store, since=LONG_AGO, late_within=30 * MINUTE)
    assert stream.update().spans["m1"][1] == after(minutes=60)
    store.add(late := [("m1", 47.5, 1.0, 2.0)])
    assert stream.take(as_they_came(late)).spans == {"m1": (after(minutes=45), after(minutes=60))}
    assert len(stream.take(as_they_came(late))) == 0, "the same again changes nothing"
    store.add(later := [("m1", 20.5, 1.0, 2.0)])
    assert stream.take(as_they_came(later)).spans == {"m1": (after(minutes=30), after(minutes=60))}


@pytest.mark.parametrize("recipe", [MOMENTS, RECIPE], ids=["moments", "every feature"])
def test_the_last_arrival_of_each_signal_counts(recipe: Recipe) -> None:
    store, copy, late = Growing(), Copy(), 20 * MINUTE
    stream = Stream(recipe, store, since=LONG_AGO, late_within=late)
    store.add(steady(range(1, 61)))
    copy.take(stream.update())
    for row in [("m1", 61.0, 1.0, None), ("m1", 61.0, None, 2.0), ("m1", 61.0, 3.0, None), ("m1", 55.0, None, 9.0)]:
        store.add([row])
        copy.take(stream.put(row[0], moment(after(minutes=row[1])), [np.nan if x is None else x for x in row[2:]]))
        check(copy, recipe, store, late, {})
    store.add([("m1", 63.0, 4.0, 4.0)])
    copy.take(stream.put("m1", moment(after(minutes=63)), [4.0, 4.0]))
    check(copy, recipe, store, late, {})
    assert stream.read_again == 1


def test_memory_stays_as_it_is_however_long_it_goes_on() -> None:
    random = np.random.default_rng(0)
    signals = tuple(f"s{place}" for place in range(10))
    second = timedelta(seconds=1)
    recipe = Recipe(
        machine_class="pump", signals=signals, windows=(256 * second,), stride=64 * second, every=(second,) * 10,
        features=("mean", "kurtosis", "median"),
    )  # fmt: skip
    store = TableHistory(readings_frame("m1", [0], **{name: [0.0] for name in signals}))
    stream = Stream(recipe, store, since=START, late_within=timedelta(minutes=1))
    stream.update()
    begin, most = moment(START), 0
    for number in range(1, 20_000):
        stream.put("m1", begin + number * 1_000_000, random.normal(size=10))
        most = max(most, stream.bytes)
    assert stream.read_again == 1
    assert most < 10 * 5 * 1024, "5 kB a signal"


def test_what_was_streamed_is_what_the_store_gives_after_it_was_sealed_and_made_anew(tmp_path: Path) -> None:
    plant = Plant(
        classes=[MachineClass(name="pump", signals=[Signal(name="pressure"), Signal(name="flow")])],
        machines=[Machine(name=name, machine_class="pump") for name in NAMES],
    )
    store, copy = Store(tmp_path / "one"), Copy()
    rows = [row for name in NAMES for row in steady(range(1, 180, 1 + NAMES.index(name)), name)]
    rows.sort(key=lambda row: row[1] + 25 * (row[1] % 7 == 0))
    failure = Event(machine="m2", kind="failure", time=after(minutes=90))
    stream = Stream(RECIPE, store, since=LONG_AGO, late_within=2 * timedelta(hours=1))
    for place, first in enumerate(range(0, len(rows), 40)):
        part = as_they_came(rows[first : first + 40])
        store.append(part, source="test", position=str(first))
        events = events_table([failure] if place == 4 else [])
        store.add_events(events, source="test")
        copy.take(stream.take(part, events))
        if place == 3:
            store.seal()
            stream = Stream(RECIPE, store, since=LONG_AGO, late_within=2 * timedelta(hours=1), given=copy.given)
    rebuild(store, plant, tmp_path / "two")
    other = Store(tmp_path / "two")
    assert content(extract(RECIPE, other, NAMES, LONG_AGO, after(minutes=END))).items() >= copy.rows.items()
    assert len(copy.rows) > 100
    fresh = Stream(RECIPE, other, since=LONG_AGO).update()
    assert content(fresh.table) == copy.rows
    store.close()
    other.close()


@pytest.mark.parametrize("running", [None, Running("speed > 46", ("speed",), timedelta(0), 5 * MINUTE)])
@pytest.mark.parametrize("singly", [True, False])
def test_rows_that_hold_only_signals_of_no_feature_change_no_bit(
    tmp_path: Path, running: Running | None, singly: bool
) -> None:
    random, count = np.random.default_rng(4), 600
    frame = readings_frame(
        "m1", np.arange(count) / 10, **dict(zip("abc", random.normal(50, 2, (3, count)), strict=True))
    )
    frame = frame.rename(columns={"a": "pressure", "b": "flow", "c": "speed"})
    frame.loc[random.random(count) < 0.4, ["pressure", "flow"]] = np.nan
    recipe, store, copy = replace(MOMENTS, running=running), Store(tmp_path), Copy()
    stream = Stream(recipe, store, since=LONG_AGO)
    for first in range(0, count, 25):
        part = TableHistory(frame[first : first + 25]).read("pump")
        store.append(part, source="test", position=str(first))
        if singly and first:
            values = frame.loc[first : first + 24, list(stream.signals)].to_numpy()
            for time, row in zip(frame["time"][first : first + 25], values, strict=True):
                copy.take(stream.put("m1", moment(time), row))
        else:
            copy.take(stream.take(part))
    assert stream.read_again == 1
    assert copy.rows == content(extract(recipe, store, ["m1"], LONG_AGO, after(minutes=count / 10 - 0.1)))
    store.close()


def test_the_state_of_a_component_says_nothing_about_the_machine() -> None:
    store, copy = Growing(), Copy()
    recipe = replace(MOMENTS, running=Running("state == 'on'", (), timedelta(0), 50 * MINUTE))
    store.add(
        steady(range(1, 100), "m1"),
        [
            Event(machine="m1", kind="state", time=after(minutes=1), code="on"),
            Event(machine="m1", kind="state", time=after(minutes=20), code="off", component="fan"),
        ],
    )
    stream = Stream(recipe, store, since=LONG_AGO)
    copy.take(stream.update())
    later = steady(range(100, 130), "m1")
    store.add(later)
    copy.take(stream.take(as_they_came(later)))

    assert stream.read_again == 1, "what came later was worked out from memory"
    assert copy.rows == content(extract(recipe, store, ["m1"], LONG_AGO, after(minutes=129)))


def test_what_a_stream_cannot_use_is_refused() -> None:
    store = Growing()
    vibration = Waveform(signal="vibration", rate=2_000.0, every=MINUTE)
    with pytest.raises(ValueError, match="'vibration' is a waveform, which a stream does not hold"):
        Stream(replace(MOMENTS, waveforms=(vibration,)), store, since=START)
    with pytest.raises(ValueError, match="late_within is -1 day"):
        Stream(MOMENTS, store, since=START, late_within=-timedelta(days=1))
    stream = Stream(MOMENTS, store, since=START)
    with pytest.raises(ValueError, match="class 'press'; this stream follows 'pump'"):
        stream.take(Readings("press", as_they_came([]).table))
    with pytest.raises(ValueError, match="'m1' has no readings in the store; add them to it first"):
        stream.take(as_they_came(steady([1.0])))
