"""Each fault is found and named for what it is, and honest sensors have none."""

from collections import Counter

import numpy as np
import pytest

from ingest.quality.fault import FAULTS, Fault
from ingest.quality.grade import FINDERS, Grade, grade
from ingest.quality.series import Series
from tests.ingest.quality_signals import CLEAN, FAULTY, MINUTE, NOISY, series_of


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
    # A jump of little more than what a signal does by itself may be called a drift.
    assert first[code] >= len(NOISY) - (3 if code == "unit_jump" else 0), first


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
