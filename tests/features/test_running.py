"""What is read while a machine is off or settles is left out, and how much that is (DQ-05)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.excluded import excluded_time
from features.extract import extract
from features.left_out import left_out
from features.microsecond import moment
from features.recipe import Recipe
from features.recipe_for import recipe_for
from features.running import Running
from features.table import FeatureTable
from ingest.errors import AndonError
from ingest.event import Event
from ingest.plant import MachineClass, ModelEntry, Signal
from ingest.store import Store
from tests.features.table_history import START, TableHistory, after, readings_frame

MINUTE = timedelta(minutes=1)
RECIPE = Recipe(
    machine_class="press",
    signals=("force",),
    windows=(10 * MINUTE, 60 * MINUTE),
    stride=5 * MINUTE,
    features=("mean", "maximum", "median"),
    every=(MINUTE,),
)
RUNNING = Running("speed > 100 and state != 'maintenance'", ("speed",), settle=3 * MINUTE, hold=5 * MINUTE)


def _left_out(running: Running, history: TableHistory, minutes: int) -> list[int]:
    """Return the minutes after the start at which a machine is left out."""
    (found,) = excluded_time(running, history, "press", ["m"], moment(START), moment(after(minutes=minutes)))
    return np.flatnonzero(found.holds(_at(range(minutes + 1)))).tolist()


def _at(minutes: Sequence[float]) -> NDArray[np.int64]:
    return np.array([moment(after(minutes=each)) for each in minutes], np.int64)


def _speed(*speeds: float) -> pd.DataFrame:
    """Return a speed for each minute from the first one on."""
    return readings_frame("m", np.arange(1, len(speeds) + 1), speed=np.array(speeds))


def _state(code: str, begin: float, end: float | None = None, component: str = "") -> Event:
    over = None if end is None else after(minutes=end)
    return Event(machine="m", kind="state", time=after(minutes=begin), end=over, code=code, component=component)


def test_off_is_left_out_until_the_machine_has_settled() -> None:
    history = TableHistory(_speed(*[150] * 5, *[0] * 4, *[150] * 8))

    # Minutes 1 to 3: the first moment known to be running is a start, too.
    assert _left_out(replace(RUNNING, expression="speed > 100"), history, 17) == [1, 2, 3, 6, 7, 8, 9, 10, 11, 12]


def test_a_state_is_off_until_it_ends_or_another_begins() -> None:
    running = replace(RUNNING, expression="state not in ('maintenance', 'idle')", signals=(), settle=timedelta(0))
    history = TableHistory(_speed(*[150] * 20), [_state("maintenance", 2, 4), _state("idle", 8), _state("auto", 11)])

    assert _left_out(running, history, 20) == [2, 3, 4, 8, 9, 10]


def test_a_state_of_a_component_is_none_of_the_machine() -> None:
    running = replace(RUNNING, expression="state != 'idle'", signals=())

    assert _left_out(running, TableHistory(_speed(150), [_state("idle", 2, component="pump")]), 5) == []


def test_what_is_not_known_counts_as_running() -> None:
    history = TableHistory(_speed(150, 0, *[np.nan] * 10))
    running = replace(RUNNING, expression="speed > 100", settle=timedelta(0))

    # The value of minute 2 holds for five minutes, and no longer.
    assert _left_out(running, history, 12) == [2, 3, 4, 5, 6]
    assert _left_out(RUNNING, TableHistory(_speed(*[np.nan] * 10)), 10) == []


def test_signals_that_come_at_times_of_their_own_hold_in_between() -> None:
    speed = readings_frame("m", [1.0, 4.5, 9.0], speed=[150.0, 0.0, 150.0])
    force = readings_frame("m", [2.0, 6.0, 8.0], force=[1.0, 1.0, 9.0])
    running = Running("speed > 100 or force > 5", ("speed", "force"), settle=timedelta(0), hold=20 * MINUTE)

    assert _left_out(running, TableHistory(pd.concat([speed, force])), 10) == [5, 6, 7]


def test_a_seldom_signal_holds_for_longer_than_a_fast_one_that_falls_silent() -> None:
    speed = readings_frame("m", [1.0, 2.0, 3.0], speed=[0.0, 0.0, 0.0])
    mode = readings_frame("m", [4.0], mode=[7.0])
    press = MachineClass(
        name="press",
        signals=[Signal(name="speed", every=MINUTE), Signal(name="mode", every=10 * MINUTE, max_age=12 * MINUTE)],
        running="speed > 100 and mode != 7",
    )
    both = Running.of(press, {"speed": MINUTE, "mode": 10 * MINUTE})
    assert both is not None

    assert both.max_ages == (5 * MINUTE, 12 * MINUTE)
    assert _left_out(both, TableHistory(speed), 30) == [1, 2, 3, 4, 5, 6, 7]
    assert _left_out(both, TableHistory(pd.concat([speed, mode])), 30) == list(range(1, 16))
    assert Running.from_dict(both.to_dict()) == both


@settings(max_examples=30, deadline=None)
@given(
    speeds=st.lists(st.sampled_from([0.0, 150.0, np.nan]), min_size=1, max_size=40),
    spells=st.lists(
        st.tuples(st.sampled_from(["auto", "maintenance"]), st.integers(1, 40), st.none() | st.integers(0, 9)),
        max_size=4,
        unique_by=lambda spell: spell[1],
    ),
    settle=st.integers(0, 6),
    hold=st.integers(1, 8),
    cut=st.integers(1, 40),
)
def test_it_is_what_a_walk_through_every_minute_finds_wherever_the_span_is_cut(
    speeds: list[float], spells: list[tuple[str, int, int | None]], settle: int, hold: int, cut: int
) -> None:
    running = replace(RUNNING, settle=settle * MINUTE, hold=hold * MINUTE)
    events = [_state(code, begin, None if lasts is None else begin + lasts) for code, begin, lasts in spells]
    history = TableHistory(_speed(*speeds), events)

    expected = _walked(speeds, spells, settle, hold, 45)

    assert _left_out(running, history, 45) == expected
    begin, middle, end = (moment(after(minutes=each)) for each in (0, cut, 45))
    parts = [excluded_time(running, history, "press", ["m"], *span)[0] for span in ((begin, middle), (middle, end))]
    minutes = _at(range(46))
    assert np.flatnonzero(parts[0].holds(minutes) | parts[1].holds(minutes)).tolist() == expected


def _walked(
    speeds: list[float], spells: list[tuple[str, int, int | None]], settle: int, hold: int, minutes: int
) -> list[int]:
    """Return the minutes left out, found by asking at a fine grid of moments, one after the other.

    Ends of states are inclusive, so half minutes lie between all that can change.
    """
    left_out, settled, ran = [], -1.0, False
    for step in range(2 * minutes + 1):
        now = step / 2
        read = [place + 1 for place, speed in enumerate(speeds) if place + 1 <= now and not np.isnan(speed)]
        speed = speeds[read[-1] - 1] if read and now - read[-1] < hold else None
        begun = [spell for spell in sorted(spells, key=lambda each: each[1]) if spell[1] <= now]
        state = None
        if begun and (begun[-1][2] is None or now <= begun[-1][1] + begun[-1][2]):
            state = begun[-1][0]
        off = speed == 0.0 or state == "maintenance"
        runs = speed == 150.0 and state == "auto"
        if runs and not ran:
            settled = now + settle
        ran = runs
        if now == int(now) and (off or now < settled):
            left_out.append(int(now))
    return left_out


def _column(table: FeatureTable, name: str) -> NDArray[np.float64]:
    return table.values[:, table.names.index(name)]


def _press(minutes: int = 120) -> TableHistory:
    """A press that runs for 60 minutes, rests with a force of 1000 for 30, and runs again."""
    step = np.arange(1, minutes + 1)
    rests = (step > 60) & (step <= 90)
    return TableHistory(
        readings_frame("m", step, speed=np.where(rests, 0.0, 150.0), force=np.where(rests, 1000.0, step / 1000))
    )


def test_readings_of_time_that_is_left_out_are_in_no_window() -> None:
    running = replace(RUNNING, expression="speed > 100")
    table = extract(replace(RECIPE, running=running), _press(), ["m"], START, after(minutes=120))

    highest = np.concatenate([_column(table, f"force__{name}__1h") for name in ("maximum", "mean", "median")])
    assert np.nanmax(highest) < 1
    assert _column(table, "force__maximum__1h")[-1] == 0.12
    assert table.off is not None
    # Off from minute 61, settled from minute 94 on; the windows end at minutes 60, 65, 70, 95 and 100.
    assert table.off[[11, 12, 13, 18, 19]].round(3).tolist() == [0, 0.4, 0.9, 0.9, 0.4]
    assert table.filled[[11, 12, 13, 18, 19]].round(1).tolist() == [1, 0.5, 0, 0.2, 0.7]
    # It ran for six minutes, of which five had a reading; for one, which had none; and for one and six, which had.
    assert table.filled_by_signal is not None
    assert table.filled_by_signal[[11, 12, 13, 18, 19], 0] == pytest.approx([1, 5 / 6, 0, 1, 1])


def test_a_machine_that_rests_most_of_the_time_is_trusted_by_the_time_that_it_ran() -> None:
    minutes = np.arange(1, 481)
    runs = minutes % 60 < 12
    frame = readings_frame("m", minutes, speed=np.where(runs, 150.0, 0.0), force=np.where(runs, 2.0, 0.0))
    recipe = replace(RECIPE, windows=(10 * MINUTE, 240 * MINUTE), running=replace(RUNNING, expression="speed > 100"))

    table = extract(recipe, TableHistory(frame), ["m"], after(hours=7), after(hours=8))

    assert set(_column(table, "force__mean__4h")) == {2.0}


def test_its_own_normal_is_that_of_the_running_machine() -> None:
    recipe = replace(RECIPE, features=("mean_shift",), baseline=90 * MINUTE)
    off = replace(recipe, running=replace(RUNNING, expression="speed > 100"))
    history = _press(180)

    shifts = [
        _column(extract(each, history, ["m"], after(hours=2), after(hours=3)), "force__mean_shift__10min")
        for each in (recipe, off)
    ]

    assert np.abs(shifts[0]).min() > 100
    assert np.abs(shifts[1]).max() < 1


def test_what_is_remembered_of_the_normal_is_that_of_the_same_running_time(tmp_path: Path) -> None:
    recipe = replace(RECIPE, features=("mean_shift",), baseline=90 * MINUTE)
    off = replace(recipe, running=replace(RUNNING, expression="speed > 100"))
    store = Store(tmp_path)
    store.append(_press(180).read("press"), source="test", position="")

    always, at_times = (
        extract(each, store, ["m"], after(hours=2), after(hours=3)).values.tobytes() for each in (recipe, off)
    )

    assert always != at_times
    assert at_times == extract(off, _press(180), ["m"], after(hours=2), after(hours=3)).values.tobytes()
    store.close()


def test_rows_go_on_while_a_silent_machine_is_known_to_be_off() -> None:
    running = replace(RUNNING, expression="state != 'maintenance'", signals=())
    history = TableHistory(_press(60).readings, [_state("maintenance", 60, 300)])

    rows = extract(replace(RECIPE, running=running), history, ["m"], START, after(hours=10))

    assert rows.off is not None
    assert rows.off[rows.time == np.datetime64(after(hours=4).replace(tzinfo=None))].tolist() == [1.0]
    assert rows.time[-1] == np.datetime64(after(minutes=355).replace(tzinfo=None))


def test_a_recipe_keeps_when_machines_run_and_has_another_hash_for_it() -> None:
    with_running = replace(RECIPE, running=RUNNING)

    assert Recipe.from_dict(with_running.to_dict()) == with_running
    assert with_running.hash not in {RECIPE.hash, replace(RECIPE, running=replace(RUNNING, settle=MINUTE)).hash}
    assert "running" not in RECIPE.to_dict()
    assert extract(RECIPE, _press(), ["m"], START, after(hours=2)).off is None


def test_a_recipe_takes_what_the_class_declares() -> None:
    press = MachineClass(
        name="press",
        signals=[Signal(name="force", every=MINUTE), Signal(name="speed", every=2 * MINUTE)],
        running="speed > 100",
        settle=7 * MINUTE,
    )
    entry = ModelEntry(
        name="risk", task="anomaly", machine_class="press", horizon=timedelta(hours=8), signals=["force"]
    )
    sampling = {"force": MINUTE, "speed": 2 * MINUTE}

    recipe = recipe_for(entry, press, sampling=sampling)

    assert recipe.signals == ("force",)
    assert recipe.running == Running("speed > 100", ("speed",), settle=7 * MINUTE, hold=10 * MINUTE)
    assert recipe_for(entry, press.model_copy(update={"running": None}), sampling=sampling).running is None
    with pytest.raises(AndonError, match="did you mean 'speed'"):
        recipe_for(entry, press.model_copy(update={"running": "sped > 100"}), sampling=sampling)


def test_how_much_is_left_out_is_told_for_each_machine_and_over_all() -> None:
    press = MachineClass(
        name="press", signals=[Signal(name="speed", every=MINUTE)], running="speed > 100", settle=10 * MINUTE
    )
    minutes = np.arange(1, 101)
    frames = [
        readings_frame("m1", minutes, speed=np.where(minutes > 40, 150.0, 0.0)),
        readings_frame("m2", minutes, speed=np.full(100, 150.0)),
    ]

    found = left_out(press, TableHistory(pd.concat(frames)))

    assert found is not None
    assert {name: round(share, 2) for name, share in found.machines.items()} == {"m1": 0.51, "m2": 0.1}
    assert found.summary() == "press: 30% of the newest 99 min is left out, off or settling (m2 10%, m1 51%)."
    assert found.problems == ()


def test_a_machine_that_never_ran_while_others_did_is_a_problem() -> None:
    press = MachineClass(name="press", signals=[Signal(name="speed", every=MINUTE)], running="speed > 100")
    frames = [readings_frame(name, np.arange(1, 51), speed=np.full(50, speed)) for name, speed in SPEEDS.items()]

    found = left_out(press, TableHistory(pd.concat(frames)))

    assert found is not None
    assert found.problems == (
        "class 'press': running: by 'speed > 100' m1 never ran in the newest 49 min, while others did; if they did run,"
        " look at their signals",
    )


SPEEDS = {"m1": 0.0, "m2": 150.0}


def test_a_state_that_never_came_and_a_machine_that_never_ran_are_problems() -> None:
    history = TableHistory(_speed(*[0] * 50), [_state("idle", 3), _state("auto", 9)])
    press = MachineClass(
        name="press", signals=[Signal(name="speed", every=MINUTE)], running="speed > 100 and state != 'idel'"
    )

    found = left_out(press, history)
    untold = left_out(press, TableHistory(_speed(150, 150, 150)))

    assert found is not None
    assert untold is not None
    assert list(found.problems) == [
        "class 'press': running: no state 'idel' came yet; did you mean 'idle'?",
        "class 'press': running: by \"speed > 100 and state != 'idel'\" no machine ran in the newest 49 min;"
        " look at the expression and its signals",
    ]
    assert [each.split("; ")[0] for each in untold.problems] == [
        "class 'press': running: no event of kind 'state' came yet, so no state is known"
    ]
