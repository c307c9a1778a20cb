"""What is streamed equals what is extracted, bit for bit, after each arrival (FE-01)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.extract import extract
from features.recipe import Recipe
from features.stream import Stream, Streamed
from features.table import FeatureTable
from ingest.event import Event, events_table
from tests.features.table_history import START, TableHistory, after, readings_frame
from tests.features.test_causality import AT_TIMES_OFF, MINUTE, RECIPE, Row, pasts

NAMES = ("m1", "m2", "m3")
MOMENTS = Recipe(
    machine_class="pump",
    signals=("pressure", "flow"),
    windows=(6 * MINUTE, 30 * MINUTE),
    stride=3 * MINUTE,
    every=(2 * MINUTE, 5 * MINUTE),
)
RECIPES = pytest.mark.parametrize(
    "recipe", [MOMENTS, RECIPE, AT_TIMES_OFF], ids=["moments only", "every feature", "at times off"]
)
END = 200.0


@dataclass
class Arrivals:
    """A store that grows: rows and events in the order in which they arrived."""

    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def history(self) -> TableHistory:
        """Return what it holds: of one machine, time and signal the last arrival."""
        merged: dict[tuple[str, float], list[float | None]] = {}
        for machine, minute, *values in self.rows:
            known = merged.setdefault((machine, minute), [None, None])
            known[:] = [old if new is None else new for old, new in zip(known, values, strict=True)]
        return TableHistory(frame_of([(*key, *values) for key, values in merged.items()]), self.events)


def frame_of(rows: list[Row]) -> pd.DataFrame:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    frame = readings_frame("", columns[1], pressure=np.array(columns[2], float), flow=np.array(columns[3], float))
    return frame.assign(machine=columns[0])


class Copy:
    """All that a stream gave, each span in the place of what was given of it before."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, datetime], bytes] = {}
        self.until: dict[str, datetime] = {}

    def take(self, streamed: Streamed) -> None:
        for machine, (begin, end) in streamed.spans.items():
            self.rows = {key: row for key, row in self.rows.items() if key[0] != machine or not begin < key[1] <= end}
            self.until[machine] = max(end, self.until.get(machine, end))
        found = content(streamed.table)
        for machine, time in found:
            begin, end = streamed.spans[machine]
            assert begin < time <= end, "each row lies in a span"
        self.rows |= found


def content(table: FeatureTable) -> dict[tuple[str, datetime], bytes]:
    times = pd.DatetimeIndex(table.time, tz="UTC").to_pydatetime()
    off = np.zeros(len(table)) if table.off is None else table.off
    rows = np.column_stack([table.values, table.filled, off])
    return {(str(key[0]), key[1]): row.tobytes() for *key, row in zip(table.machine, times, rows, strict=True)}


def same_as_extracted(
    copy: Copy, streamed: Streamed, recipe: Recipe, history: TableHistory, late_within: timedelta
) -> None:
    """Say whether rows given now, and all that may still change, are what is extracted from the store now."""
    spans = history.spans("pump")
    begin = min([START, *(first for first, _ in spans.values())]) - timedelta(hours=1)
    expected = content(extract(recipe, history, NAMES, begin, after(minutes=END + 100)))
    for machine, (_, newest) in spans.items():
        last = newest - (newest - datetime(1970, 1, 1, tzinfo=newest.tzinfo)) % recipe.stride
        start, stop = streamed.spans.get(machine, (last, last))
        start = min(start, last - late_within)
        for rows in (expected, copy.rows):
            assert not {key for key in rows if key[0] == machine and key[1] > last} or rows is expected
        wanted, had = (
            {key[1]: row for key, row in rows.items() if key[0] == machine and start < key[1] <= last}
            for rows in (expected, copy.rows)
        )
        assert stop == last
        assert had.keys() == wanted.keys()
        assert had == wanted


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[Row] | list[Event] | None]:
    """Draw batches in the order of their arrival: most in the order of time; ``None`` stands for a restart."""
    past = draw(pasts(0.0, END, rows=30))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = past.rows + [
        (machine, minute, *random.choice([None, 1.0, 7.5], 2).tolist())
        for machine, minute, *_ in past.rows
        if random.random() < draw(st.sampled_from([0.0, 0.1]))
    ]
    delays = np.where(
        random.random(len(rows)) < draw(st.sampled_from([0.0, 0.02, 0.3])), 60 * random.random(len(rows)), 0
    )
    due = np.array([row[1] for row in rows]) + delays
    order = np.argsort(due, kind="stable")
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=9)))
    steps: list[list[Row] | list[Event] | None] = [
        [rows[place] for place in part] for part in np.split(order, np.array(cuts, int)) if len(part)
    ]
    for event in past.events:
        steps.insert(draw(st.integers(0, len(steps))), [event])
    for _ in range(draw(st.integers(0, 2))):
        steps.insert(draw(st.integers(0, len(steps))), None)
    return steps


@RECIPES
@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=arrivals(), late_within=st.sampled_from([0, 10, 47, 300]))
def test_after_each_arrival_rows_are_those_that_extract_makes(
    recipe: Recipe, steps: list[list[Row] | list[Event] | None], late_within: int
) -> None:
    late = late_within * MINUTE
    store, copy = Arrivals(), Copy()
    since = START - timedelta(days=1)
    stream = Stream(recipe, store.history(), since=since, late_within=late)
    for step in steps:
        if step is None:
            stream = Stream(recipe, store.history(), since=since, late_within=late, given=copy.until)
            streamed = stream.update()
        elif isinstance(step[0], Event):
            store.events += step  # type: ignore[arg-type]
            stream.history = store.history()
            streamed = stream.take(events=events_table(step))  # type: ignore[arg-type]
        else:
            store.rows += step  # type: ignore[arg-type]
            stream.history = store.history()
            streamed = stream.take(as_they_came(step))  # type: ignore[arg-type]
        copy.take(streamed)
        same_as_extracted(copy, streamed, recipe, stream.history, late)  # type: ignore[arg-type]


def as_they_came(rows: list[Row]):  # type: ignore[no-untyped-def]
    history = TableHistory(frame_of(rows))
    history.readings = frame_of(rows)
    return history.read("pump")
