"""Phase I: the verdict, and what was left out."""

import numpy as np
import pytest

from models.efficiency.autoregression import forgotten, simulated
from models.efficiency.look import Floats
from models.efficiency.phase_one import far, independent_values, learnt, spread_change


def process(phi: float = 0.0, points: int = 400, seed: int = 3) -> Floats:
    coefficients, random = np.array([phi]), np.random.default_rng(seed)
    burn = forgotten(coefficients)
    return simulated(coefficients, random.standard_normal((1, burn + points)), burn)[0]


def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_stable_processes_are_nearly_always_called_stable(phi: float) -> None:
    verdicts = [learnt(process(phi, 300, seed), random()).verdict for seed in range(25)]

    assert verdicts.count("unstable") <= 3
    assert verdicts.count("stable") >= 21


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_gross_values_are_left_out_with_the_reason_and_do_not_move_the_normal(phi: float) -> None:
    clean = process(phi)
    dirty = clean.copy()
    dirty[[50, 200]] = [30.0, -40.0]

    found, beside = learnt(dirty, random()), learnt(clean, random())

    assert found.verdict == "stable without outliers"
    assert {each.begin for each in found.left_out} == {50, 200}
    assert all(each.kind == "outlier" and "sigma" in each.reason for each in found.left_out)
    assert found.model.sigma[0] == pytest.approx(beside.model.sigma[0], rel=0.05)
    assert found.model.memory[0] == pytest.approx(beside.model.memory[0], abs=0.05)


@pytest.mark.parametrize(("phi", "step"), [(0.0, 3.0), (0.5, 5.0)])
def test_a_level_that_changed_is_no_long_memory_but_makes_phase_one_unstable(phi: float, step: float) -> None:
    values = process(phi)
    values[280:] += step

    found = learnt(values, random())

    assert not found.stable
    assert "level" in found.why[0]
    (level,) = (each for each in found.left_out if each.kind == "level")
    assert abs(level.begin - 280) <= 6
    assert level.end == 400
    assert "above" in level.reason
    assert found.model.memory[0] == pytest.approx(phi, abs=0.12)
    assert found.model.centre[0] == pytest.approx(np.mean(values[:280]), abs=0.2)


def test_heavy_tails_are_not_taken_for_outliers() -> None:
    tails = [np.random.default_rng(seed).laplace(0, 1, 400) for seed in range(15)]

    left_out = [len(learnt(values, random()).left_out) for values in tails]

    assert sum(left_out) <= 3


def test_a_stretch_of_large_values_of_a_skewed_process_is_no_level() -> None:
    verdicts = [learnt(np.random.default_rng(seed).lognormal(0, 0.5, 400), random()).verdict for seed in range(25)]

    assert verdicts.count("unstable") <= 2


def test_a_spread_that_changed_makes_phase_one_unstable() -> None:
    values = process()
    values[200:] *= 2

    assert any("spread changed" in each for each in learnt(values, random()).why)
    assert spread_change(process()) < 1.628


def test_values_that_follow_each_other_too_closely_do_not_tell_a_level() -> None:
    found = learnt(np.cumsum(process(points=300)), random())

    assert not found.stable
    assert any("follow each other" in each for each in found.why)


def test_what_a_phase_one_is_worth_has_its_closed_form() -> None:
    found = learnt(process(0.8, 1500), random())
    phi = found.model.memory[0]

    assert independent_values(found.model, 1500) == pytest.approx(1500 * (1 - phi) / (1 + phi), rel=0.02)


def test_unit_and_zero_of_the_signal_change_no_verdict() -> None:
    values = process(0.5)
    values[60] = 12.0

    plain, other = learnt(values, random()), learnt(250 + 0.1 * values, random())

    assert [(each.begin, each.end) for each in other.left_out] == [(each.begin, each.end) for each in plain.left_out]
    assert other.verdict == plain.verdict


def test_too_few_values_are_refused_and_few_are_said() -> None:
    with pytest.raises(ValueError, match="from 50 at least"):
        learnt(process(points=49), random())

    assert "short phase I" in learnt(process(points=120), random()).cautions[0]
    assert any("coarse" in each for each in learnt(np.round(process()), random()).cautions)


def test_missing_values_are_no_outliers() -> None:
    values = process(0.5)
    values[100:110] = np.nan

    found = learnt(values, random())

    assert found.left_out == ()
    assert not far(np.array([*np.arange(40.0), np.nan])).any()
