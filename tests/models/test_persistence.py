import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.plant import AlertSettings
from models.assessment import Assessments
from models.persistence import START, Episode, episodes, lives, step

HOUR = np.timedelta64(1, "h")
ZERO = np.datetime64("2026-01-01", "us")


def assessed(levels: dict[str, list[float]], threshold: float = 0.5) -> Assessments:
    machine = np.array([name for name, values in levels.items() for _ in values], dtype=object)
    time = np.concatenate([ZERO + np.arange(len(values)) * HOUR for values in levels.values()])
    level = np.concatenate([np.array(values, dtype=np.float64) for values in levels.values()])
    return Assessments("model", "1", machine, time, level, np.full(len(level), "ok", dtype=object), threshold)


def failures_at(hours: dict[str, list[int]]) -> pd.DataFrame:
    rows = [(name, pd.Timestamp(ZERO + hour * HOUR, tz="UTC")) for name, each in hours.items() for hour in sorted(each)]
    table = pd.DataFrame(rows, columns=["machine", "begin"])
    return table.astype({"begin": "datetime64[us, UTC]"})


def spans(found: list[Episode]) -> list[tuple[str, int, int | None]]:
    def hour(moment: np.datetime64) -> int:
        return int((moment - ZERO) / HOUR)

    return [(each.machine, hour(each.begin), None if each.end is None else hour(each.end)) for each in found]


def slowly(assessments: Assessments, rules: AlertSettings, failures: pd.DataFrame) -> list[tuple[str, int]]:
    """Fold ``step`` row by row, and say where conditions become active."""
    begins = []
    life = lives(assessments.machine, assessments.time, failures)
    condition = START
    for row, level in enumerate(assessments.level):
        if row and life[row] != life[row - 1]:
            condition = START
        over = None if np.isnan(level) else bool(level >= assessments.threshold)
        after = step(condition, over, rules)
        if after.active and not condition.active:
            begins.append((str(assessments.machine[row]), int((assessments.time[row] - ZERO) / HOUR)))
        condition = after
    return begins


def test_two_of_three_raise_and_three_clean_windows_end() -> None:
    found = episodes(assessed({"m1": [0.9, 0, 0.9, 0, 0, 0.9, 0, 0, 0, 0.9]}), AlertSettings())

    assert spans(found) == [("m1", 2, 8)]
    assert found[0].row == 2


def test_a_missing_value_changes_nothing() -> None:
    nan = float("nan")

    assert spans(episodes(assessed({"m1": [0.9, nan, nan, 0.9, nan, 0, 0, nan]}), AlertSettings())) == [("m1", 3, None)]


def test_a_level_at_the_threshold_is_over() -> None:
    assert len(episodes(assessed({"m1": [0.5, 0.5]}), AlertSettings())) == 1


def test_machines_do_not_share_a_condition() -> None:
    assert episodes(assessed({"m1": [0, 0.9], "m2": [0.9, 0]}), AlertSettings()) == []


def test_an_episode_ends_with_a_failure_and_counting_begins_anew() -> None:
    found = episodes(assessed({"m1": [0.9] * 3 + [0.9] * 3}), AlertSettings(), failures_at({"m1": [3]}))

    assert spans(found) == [("m1", 1, 3), ("m1", 4, None)]


def test_a_failure_of_a_machine_without_rows_is_no_matter() -> None:
    assert len(episodes(assessed({"m1": [0.9, 0.9]}), AlertSettings(), failures_at({"m9": [1]}))) == 1


def test_no_rows_hold_no_episode() -> None:
    assert episodes(assessed({"m1": []}), AlertSettings()) == []


levels = st.lists(st.sampled_from([0.0, 0.9, float("nan")]), max_size=40)


@pytest.mark.parametrize(("on_delay", "off_delay"), [((2, 3), 3), ((1, 1), 1), ((2, 5), 1), ((3, 4), 2), ((4, 4), 2)])
@settings(deadline=None)
@given(first=levels, second=levels, failed=st.lists(st.integers(0, 40), max_size=3, unique=True))
def test_all_at_once_says_what_step_by_step_says(
    on_delay: tuple[int, int], off_delay: int, first: list[float], second: list[float], failed: list[int]
) -> None:
    rules = AlertSettings(on_delay=on_delay, off_delay=off_delay)
    assessments = assessed({"m1": first, "m2": second})
    failures = failures_at({"m1": failed, "m2": failed[:1]})

    found = episodes(assessments, rules, failures)

    assert [(machine, begin) for machine, begin, _ in spans(found)] == slowly(assessments, rules, failures)
