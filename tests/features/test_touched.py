"""Late readings touch the windows that hold them, and no others."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.extract import extract
from features.microsecond import microseconds, moment
from features.recipe import Recipe
from features.touched import touched
from tests.features.table_history import START, after
from tests.features.test_causality import AT_TIMES_OFF, END, OF_EACH_KIND, Past, pasts

MINUTE = timedelta(minutes=1)
BEGIN = moment(START)
minutes = st.integers(-500, 500)


def recipe_of(window: int, stride: int, **more: object) -> Recipe:
    return Recipe(machine_class="pump", signals=("flow",), windows=(window * MINUTE,), stride=stride * MINUTE, **more)  # type: ignore[arg-type]


@given(
    times=st.sets(minutes, min_size=1, max_size=8),
    window=st.integers(1, 90),
    stride=st.integers(1, 40),
    start=minutes,
    length=st.integers(0, 600),
)
def test_the_touched_window_ends_are_those_whose_windows_hold_a_reading(
    times: set[int], window: int, stride: int, start: int, length: int
) -> None:
    recipe = recipe_of(window, stride)
    found = touched(
        recipe,
        np.array(sorted(times)) * microseconds(MINUTE),
        -(10**15),
        start * microseconds(MINUTE),
        (start + length) * microseconds(MINUTE),
    )
    step = microseconds(recipe.stride)
    ends = [end for begin, last in found for end in range(begin + step, last + step, step)]
    expected = [
        end
        for end in range(start + 1, start + length + 1)
        if end % stride == 0 and any(end - window < time <= end for time in times)
    ]
    assert ends == [end * microseconds(MINUTE) for end in expected]
    assert all(one[1] < other[0] for one, other in pairwise(found)), "spans are apart"


@pytest.mark.slow(seconds=15)
@pytest.mark.parametrize("recipe", [OF_EACH_KIND, AT_TIMES_OFF], ids=["always running", "at times off"])
@settings(max_examples=20, deadline=None)
@given(known=pasts(0.0, END, rows=40), late=pasts(0.0, END, rows=6))
def test_no_feature_of_another_window_changes_by_a_bit(recipe: Recipe, known: Past, late: Past) -> None:
    late = Past(late.rows, [])
    names = sorted({row[0] for row in known.rows + late.rows})
    before = known.history()
    now = known.with_more(late).history()
    tables = [extract(recipe, each, names, START, after(minutes=2 * END)) for each in (before, now)]
    spans = now.spans("pump") if len(now.readings) else {}
    for name in names:
        times = np.array(sorted({moment(after(minutes=row[1])) for row in late.rows if row[0] == name}), np.int64)
        rows = [table.where(table.machine == name) for table in tables]
        if len(times):
            found = touched(recipe, times, moment(spans[name][0]), BEGIN, moment(after(minutes=2 * END)))
            outside = [
                table.where(
                    ~np.any(
                        [(table.time.astype(np.int64) > a) & (table.time.astype(np.int64) <= b) for a, b in found],
                        axis=0,
                    )
                )
                for table in rows
            ]
            rows = outside if found else rows
        assert rows[0].time.tolist() == rows[1].time.tolist()
        assert rows[0].values.tobytes() == rows[1].values.tobytes()
        assert rows[0].filled.tobytes() == rows[1].filled.tobytes()
        shares = [table.filled_by_signal for table in rows]
        assert shares[0] is not None
        assert shares[1] is not None
        assert shares[0].tobytes() == shares[1].tobytes()


def test_a_reading_of_the_time_of_a_machines_own_normal_touches_all_that_follows() -> None:
    recipe = recipe_of(30, 10, features=("mean_shift",), baseline=60 * MINUTE)
    minute = microseconds(MINUTE)
    assert touched(recipe, np.array([60 * minute]), 0, 0, 600 * minute) == [(50 * minute, 600 * minute)]
    assert touched(recipe, np.array([61 * minute]), 0, 0, 600 * minute) == [(60 * minute, 90 * minute)]


def test_a_first_reading_touches_all_that_follows_where_the_age_of_a_machine_is_a_feature() -> None:
    recipe = recipe_of(30, 10, features=("mean", "hours_in_service"))
    minute = microseconds(MINUTE)
    assert touched(recipe, np.array([60 * minute]), 60 * minute, 0, 600 * minute) == [(50 * minute, 600 * minute)]
    assert touched(recipe, np.array([60 * minute]), 59 * minute, 0, 600 * minute) == [(50 * minute, 80 * minute)]


def test_a_late_reading_that_says_that_a_machine_was_off_touches_the_windows_of_what_is_left_out_for_it() -> None:
    minutes = [0.25, *np.arange(104, 108, 0.5), *range(150, 290)]
    known = Past([("m1", minute, minute, None) for minute in minutes], [])
    late = Past([("m1", 100.0, None, -1.0)], [])
    end = after(minutes=2 * END)
    before, now = (extract(AT_TIMES_OFF, each.history(), ["m1"], START, end) for each in (known, known.with_more(late)))
    changed = before.time[np.any(before.values.view(np.int64) != now.values.view(np.int64), axis=1)].astype(np.int64)

    ((begin, last),) = touched(AT_TIMES_OFF, np.array([moment(after(minutes=100))]), BEGIN, BEGIN, moment(end))

    assert begin < changed.min() <= changed.max() <= last
    assert changed.max() > moment(after(minutes=100 + 120)), "beyond the windows that hold the late reading"
