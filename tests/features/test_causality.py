"""What happens after a moment changes nothing that was known at it, bit for bit (FE-04)."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FEATURES
from features.extract import extract
from features.limits import Limits
from features.recipe import Recipe
from features.regimes import Regimes
from features.running import Running
from features.table import FeatureTable
from ingest.event import Event, EventKind
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
RECIPE = Recipe(
    machine_class="pump",
    signals=("pressure", "flow"),
    windows=(6 * MINUTE, 30 * MINUTE, 120 * MINUTE),
    stride=3 * MINUTE,
    features=tuple(feature.name for feature in FEATURES),
    components=("seal", "bearing"),
    error_codes=("E1", "E2"),
    baseline=45 * MINUTE,
    every=(2 * MINUTE, 2 * MINUTE),
    limits=(Limits(-0.5, 1e6), Limits(high=0.5)),
)
OF_EACH_KIND = replace(
    RECIPE,
    features=tuple(
        {
            (each.kind, each.by_kernel, each.limit, each.name * (each.cost in ("events", "states"))): each.name
            for each in reversed(FEATURES)
            if each.cost != "model"
        }.values()
    ),
)
"""One feature of each way in which features are made, and all of those that events and states tell."""
AT_TIMES_OFF = replace(
    OF_EACH_KIND,
    running=Running(
        "flow > -0.7 and pressure < 1e8 and state != 'E1'",
        ("flow", "pressure"),
        settle=4 * MINUTE,
        hold=10 * MINUTE,
        holds=(10 * MINUTE, 3 * MINUTE),
    ),
    regimes=Regimes(
        ("full", "idle"), ("pressure > 0", "pressure < -0.5 or state == 'E2'"), ("pressure",), (15 * MINUTE,)
    ),
)
CUT_OFF = 180.0
END = 300.0

Row = tuple[str, float, float | None, float | None]


@dataclass(frozen=True)
class Past:
    """Rows of readings (machine, minute, pressure, flow) and events."""

    rows: list[Row]
    events: list[Event]

    def history(self) -> TableHistory:
        rows = {(machine, minute): (machine, minute, *values) for machine, minute, *values in self.rows}
        columns = [list(column) for column in zip(*rows.values(), strict=True)] or [[], [], [], []]
        frame = readings_frame(
            "", columns[1], pressure=np.array(columns[2], float), flow=np.array(columns[3], float)
        ).assign(machine=columns[0])
        return TableHistory(frame, self.events)

    def with_more(self, other: "Past") -> "Past":
        return Past(self.rows + other.rows, self.events + other.events)


machines = st.sampled_from(["m1", "m2", "m3"])
values = st.none() | st.sampled_from([0.0, -0.0, 1e9]) | st.floats(-1e6, 1e6)
kinds: st.SearchStrategy[EventKind] = st.sampled_from(["failure", "maintenance", "error", "stop", "state"])


def pasts(begin: float, end: float, *, rows: int) -> st.SearchStrategy[Past]:
    """Draw readings and events of which none lies outside (begin, end]; most of a run of steady readings.

    The flow comes as often as the pressure, or more seldom.
    """
    minutes = st.integers(int(begin * 4) + 1, int(end * 4)).map(lambda quarter: quarter / 4)

    @st.composite
    def events(draw: st.DrawFn) -> Event:
        time = draw(minutes)
        lasting = draw(st.none() | st.integers(0, 60))
        return Event(
            machine=draw(machines),
            kind=draw(kinds),
            time=after(minutes=time),
            end=None if lasting is None else after(minutes=min(time + lasting, end)),
            component=draw(st.sampled_from(["", "seal", "bearing"])),
            code=draw(st.sampled_from(["", "E1", "E2"])),
        )

    @st.composite
    def draw_past(draw: st.DrawFn) -> Past:
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        steady: list[Row] = []
        for machine in draw(st.lists(machines, unique=True)):
            kept = np.flatnonzero(random.random(int(end - begin)) < draw(st.sampled_from([0.1, 0.6, 1.0])))
            readings = random.normal(draw(st.sampled_from([0.0, 1e6])), 1.0, (len(kept), 2))
            every = draw(st.sampled_from([1, 1, 7, 20]))
            steady += [
                (machine, begin + 1.0 + step, pressure, flow if step % every == 0 else None)
                for step, (pressure, flow) in zip(kept.tolist(), readings.tolist(), strict=True)
            ]
        odd = draw(st.lists(st.tuples(machines, minutes, values, values), max_size=rows))
        return Past(steady + odd, draw(st.lists(events(), max_size=6)))

    return draw_past()


def _content(table: FeatureTable) -> tuple[list[str], list[bytes]]:
    assert table.filled_by_signal is not None
    parts = [table.time, table.values, table.filled, table.filled_by_signal, table.off]
    return list(table.machine), [b"" if each is None else each.tobytes() for each in parts]


def _until_cut_off(table: FeatureTable) -> tuple[list[str], list[bytes]]:
    return _content(table.where(table.time <= np.datetime64(after(minutes=CUT_OFF).replace(tzinfo=None))))


@pytest.mark.slow(seconds=12)
@pytest.mark.parametrize("recipe", [RECIPE, AT_TIMES_OFF], ids=["always running", "at times off"])
@settings(max_examples=12, deadline=None)
@given(past=pasts(0, CUT_OFF, rows=30), future=pasts(CUT_OFF, END, rows=30))
def test_the_future_changes_no_feature_of_the_past(recipe: Recipe, past: Past, future: Past) -> None:
    then, now = past.history(), past.with_more(future).history()

    before = extract(recipe, then, ["m1", "m2", "m3"], START, after(minutes=END))
    live = extract(recipe, then, ["m1", "m2", "m3"], START, after(minutes=CUT_OFF))
    later = extract(recipe, now, ["m1", "m2", "m3"], START, after(minutes=END))

    assert _until_cut_off(later) == _until_cut_off(before) == _until_cut_off(live)


@pytest.mark.parametrize("recipe", [RECIPE, AT_TIMES_OFF], ids=["always running", "at times off"])
@settings(max_examples=5, deadline=None)
@given(past=pasts(0, CUT_OFF, rows=20), cells=st.integers(1, 3000), begin=st.integers(0, 200))
def test_groups_pieces_and_the_start_of_the_span_change_no_bit(
    recipe: Recipe, past: Past, cells: int, begin: int
) -> None:
    history = past.history()
    whole = extract(recipe, history, ["m1", "m2", "m3"], START, after(minutes=END))

    cut = extract(recipe, history, ["m1", "m2", "m3"], after(minutes=begin), after(minutes=END), cells=cells)

    expected = whole.where(whole.time > np.datetime64(after(minutes=begin).replace(tzinfo=None)))
    assert _content(cut) == _content(expected)


def test_a_signal_that_says_what_a_machine_is_told_changes_nothing_in_little_memory() -> None:
    random = np.random.default_rng(7)
    frame = readings_frame("m1", np.arange(1, 250), pressure=random.normal(size=249), flow=random.normal(size=249))
    told = replace(RECIPE, operating=("flow",), features=("mean", "median"))

    whole = extract(told, TableHistory(frame), ["m1"], START, after(hours=4))
    cut = extract(told, TableHistory(frame), ["m1"], START, after(hours=4), cells=100)

    assert _content(cut) == _content(whole)


def test_one_machine_alone_has_the_same_features_as_among_others() -> None:
    random = np.random.default_rng(7)
    frames = [
        readings_frame(name, np.arange(1, 250), pressure=random.normal(size=249), flow=random.normal(size=249))
        for name in ("m1", "m2", "m3")
    ]
    history = TableHistory(pd.concat(frames))

    together = extract(RECIPE, history, ["m1", "m2", "m3"], START, after(hours=4))
    alone = extract(RECIPE, history, ["m2"], START, after(hours=4))

    assert alone.values.tobytes() == together.where(together.machine == "m2").values.tobytes()
