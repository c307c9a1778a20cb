"""Each fault is found and named for what it is, and honest sensors have none."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ingest.quality.fault import FAULTS, Fault
from ingest.quality.grade import FINDERS, Grade, grade
from ingest.quality.level import unit_jump
from ingest.quality.series import Series
from tests.ingest.quality_signals import CLEAN, FAULTY, MINUTE, NOISY, series_of
from tests.trials.grades import clean_findings, plant_faults


@pytest.mark.parametrize("kind", CLEAN)
def test_thirty_days_of_an_honest_sensor_have_no_fault(kind: str) -> None:
    for seed in range(5):
        assert grade(CLEAN[kind](np.random.default_rng(seed))) == Grade(100, ())


@pytest.mark.parametrize("code", FAULTY)
def test_a_planted_fault_is_the_first_reason_and_lowers_the_grade(code: str) -> None:
    first: Counter[str] = Counter()
    for number, kind in enumerate(NOISY):
        chance = np.random.default_rng(100 + number)
        found = grade(FAULTY[code](chance, CLEAN[kind](chance)))
        first[found.reasons[0] if found.faults else "nothing"] += 1
        assert not found.faults or found.number < 95, (kind, found)
    assert first[code] == len(NOISY), first


def test_a_counter_that_begins_anew_is_named() -> None:
    values = np.cumsum(np.random.default_rng(0).poisson(2, 20_000)).astype(float)
    values[12_000:] -= values[12_000]

    assert grade(series_of(values)).reasons == ("counter_reset",)


@pytest.mark.parametrize("codes", [[0, 1], [1, 4, 7]])
def test_codes_of_states_look_categorical(codes: list[int]) -> None:
    values = np.repeat(np.random.default_rng(0).choice(codes, 400), 30).astype(float)

    assert grade(series_of(values)).reasons[0] == "categorical"


def test_every_kind_has_its_finder_and_none_finds_another() -> None:
    assert set(FINDERS) == set(FAULTS)
    for code, find in FINDERS.items():
        if code in FAULTY:
            chance = np.random.default_rng(5)
            found = find(FAULTY[code](chance, CLEAN["white"](chance)))
            assert found is not None
            assert found.code == code


@pytest.mark.parametrize("code", FAULTS)
def test_more_of_a_fault_costs_more_and_never_more_than_all(code: str) -> None:
    costs = [Fault(code, share, 0, 1, "").cost for share in np.linspace(0, 1, 50)]

    assert costs == sorted(costs)
    assert costs[0] == 0
    assert costs[-1] == pytest.approx(FAULTS[code].weight)


def test_few_readings_and_none_are_graded_without_an_error() -> None:
    for count in (0, 1, 2, 5, 25, 60):
        values = np.arange(count, dtype=float)
        times = np.arange(count, dtype=np.int64) * MINUTE
        graded = grade(Series(times, values, 0, 60 * MINUTE))
        assert 0 <= graded.number <= 100


def test_a_machine_at_rest_is_neither_flat_nor_at_its_limit() -> None:
    shifts = np.tile(np.repeat([1.0, 0.0], 480), 30)
    values = shifts * (50 + np.random.default_rng(0).standard_normal(len(shifts)))

    assert grade(series_of(values, low=0.0, high=100.0)).faults == ()


def test_values_outside_the_declared_range_are_named_whether_they_were_kept_or_turned_away() -> None:
    values = 50 + np.random.default_rng(0).standard_normal(20_000)
    kept = grade(series_of(values, low=0.0, high=52.0))
    away = grade(series_of(values[values <= 52], low=0.0, high=52.0, outside=int((values > 52).sum())))

    for found in (kept, away):
        assert found.reasons == ("out_of_domain",)
        assert "outside 0 to 52" in found.faults[0].detail
    assert grade(series_of(values, low=0.0, high=60.0)).faults == ()


def test_a_stretch_in_which_all_was_turned_away_is_no_gap() -> None:
    series = series_of(50 + np.random.default_rng(0).standard_normal(20_000), low=0.0, high=60.0)
    keep = np.ones(len(series), np.bool_)
    keep[8_000:11_000] = False
    rest = replace(series, times=series.times[keep], values=series.values[keep])

    assert grade(replace(rest, outside=3_000)).reasons == ("out_of_domain",)
    assert grade(rest).reasons == ("gap",)


@pytest.mark.parametrize("factor", [0.1, 3.6, 1000])
def test_another_unit_is_seen_in_a_signal_that_leaps_among_levels(factor: float) -> None:
    chance = np.random.default_rng(40)
    values = CLEAN["load"](chance).values.copy()
    values[20_000:] *= factor

    found = grade(series_of(values)).faults[0]

    assert found.code == "unit_jump"
    assert abs(found.begin / MINUTE - 20_000) < 500


def test_levels_of_its_own_are_no_jump_of_unit_by_whatever_factor_its_halves_differ() -> None:
    for seed in range(40):
        assert unit_jump(CLEAN["products"](np.random.default_rng([seed, 8]))) is None


def test_a_history_of_one_day_is_too_short_to_tell_a_jump_of_unit_from_levels_of_its_own() -> None:
    for seed in range(40):
        series = CLEAN["set_points"](np.random.default_rng([7, seed]))
        day = replace(series, times=series.times[:1440], values=series.values[:1440], last=int(series.times[1439]))
        assert grade(day).reasons == ("short_history",)


def test_the_trial_tells_what_was_planted_and_what_was_named() -> None:
    (row,) = plant_faults(2, codes=["flat"], kinds=["white", "slow"])

    assert row.line(["white", "slow"]).split() == ["flat", "4/4", "4/4", "2/2", "2/2"]
    assert clean_findings(1, signals=2) == []
