from datetime import timedelta

import numpy as np
import pandas as pd
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


Span = tuple[str, int, int | None]


def slowly(assessments: Assessments, rules: AlertSettings, failures: pd.DataFrame) -> list[Span]:
    """Fold ``step`` row by row, and say where conditions begin and are over by themselves."""
    found: list[Span] = []
    life = lives(assessments.machine, assessments.time, failures)
    condition = START
    for row, level in enumerate(assessments.level):
        if row and life[row] != life[row - 1]:
            condition = START
        over = None if np.isnan(level) else bool(level >= assessments.threshold)
        standing = bool(level >= assessments.threshold * (1 - rules.dead_band))
        at = int(assessments.time[row].astype("datetime64[us]").astype(int))
        after = step(condition, over, rules, standing=standing, at=at)
        if after.active and not condition.active:
            found.append((str(assessments.machine[row]), int((assessments.time[row] - ZERO) / HOUR), None))
        elif condition.active and not after.active:
            found[-1] = (*found[-1][:2], int((assessments.time[row] - ZERO) / HOUR))
        condition = after
    return found


def by_definition(levels: list[float], rules: AlertSettings, failed: list[int]) -> list[tuple[int, int | None]]:
    """Say when one machine's alerts begin and are over, by the words of the settings, from all of its past.

    Values come once an hour; ``failed`` are the hours of failures.
    """
    needed, of = rules.on_delay
    found: list[tuple[int, int | None]] = []
    lives = np.searchsorted(np.array(sorted(failed)), np.arange(len(levels)), side="right")
    for life in np.unique(lives):
        past: list[int] = []  # hours with a value
        open_since: int | None = None
        for hour in np.flatnonzero(lives == life).tolist():
            if np.isnan(levels[hour]):
                continue
            past.append(hour)
            over = [each for each in past[-of:] if levels[each] >= 0.5]
            if open_since is None:
                if over and over[-1] == hour and len(over) >= needed:
                    open_since = hour
                    found.append((hour, None))
                continue
            last = max(
                each
                for each in past
                if levels[each] >= 0.5 or (each > open_since and levels[each] >= 0.5 * (1 - rules.dead_band))
            )
            after = sum(each > last for each in past)
            if after >= rules.off_delay and timedelta(hours=hour - last) >= rules.keep_firing:
                found[-1] = (open_since, hour)
                open_since = None
    return found


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


levels = st.lists(st.sampled_from([0.0, 0.42, 0.46, 0.9, float("nan")]), max_size=40)
delays = st.sampled_from([(1, 1), (2, 3), (2, 5), (3, 4), (4, 4)])


@st.composite
def rules_of(draw: st.DrawFn) -> AlertSettings:
    return AlertSettings(
        on_delay=draw(delays),
        off_delay=draw(st.integers(1, 4)),
        dead_band=draw(st.sampled_from([0.0, 0.1, 0.2])),
        keep_firing=timedelta(hours=draw(st.sampled_from([0, 0, 2, 7]))),
    )


@settings(deadline=None, max_examples=400)
@given(rules=rules_of(), first=levels, second=levels, failed=st.lists(st.integers(0, 40), max_size=3, unique=True))
def test_all_at_once_and_step_by_step_say_what_the_settings_say(
    rules: AlertSettings, first: list[float], second: list[float], failed: list[int]
) -> None:
    """A backtest looks at all rows at once, a round steps: both have to be what the words of the settings mean."""
    assessments = assessed({"m1": first, "m2": second})
    failures = failures_at({"m1": failed, "m2": failed[:1]})

    at_once = spans(episodes(assessments, rules, failures))
    stepped = slowly(assessments, rules, failures)
    wanted = [("m1", *each) for each in by_definition(first, rules, failed)]
    wanted += [("m2", *each) for each in by_definition(second, rules, failed[:1])]

    assert stepped == wanted
    # An episode that a failure ends says when that was; by itself it was not over.
    by_itself = [
        (machine, begin, end if own[2] is not None else None)
        for (machine, begin, end), own in zip(at_once, wanted, strict=True)
    ]
    assert by_itself == wanted
    hours = {"m1": sorted(failed), "m2": sorted(failed[:1])}
    for (machine, begin, end), own in zip(at_once, wanted, strict=True):
        if own[2] is None:
            assert end == next((each for each in hours[machine] if each > begin), None)


def test_a_level_in_the_dead_band_holds_up_what_lasts_and_raises_nothing() -> None:
    rules = AlertSettings(on_delay=(1, 1), off_delay=1, dead_band=0.2)

    assert spans(episodes(assessed({"m1": [0.45, 0.45, 0.5, 0.45, 0.4, 0.39, 0.45]}), rules)) == [("m1", 2, 5)]


def test_what_is_kept_firing_is_over_at_the_first_clean_window_that_is_late_enough() -> None:
    rules = AlertSettings(on_delay=(1, 1), off_delay=1, keep_firing=timedelta(hours=3))

    assert spans(episodes(assessed({"m1": [0.9, 0, 0, 0, 0]}), rules)) == [("m1", 0, 3)]
    assert spans(episodes(assessed({"m1": [0.9, 0, 0.9, 0, float("nan"), float("nan"), 0]}), rules)) == [("m1", 0, 6)]


def test_phases_say_how_far_it_is() -> None:
    rules = AlertSettings(on_delay=(2, 3), off_delay=2)
    condition, seen = START, []
    for over in (False, True, None, True, False, False, False, False):
        condition = step(condition, over, rules)
        seen.append((condition.phase.value, condition.words(rules)))

    assert [phase for phase, _ in seen] == [
        "quiet", "pending", "pending", "active", "recovering", "pending", "quiet", "quiet",
    ]  # fmt: skip
    assert seen[1][1] == "1 of the last 3 windows is over the threshold; 2 raise an alert"
    assert seen[4][1] == "1 window in a row below; over after 2"
