"""A step of one signal alone is told from ramps, spikes and steps of the machine, and holds until it is over."""

import numpy as np
import pytest

from models.sensors.block import Block
from models.sensors.held import LONGEST, held, stepped
from models.sensors.step import REACHES_ON, followed, lone, step_sizes, usual_change

WEEK = int(LONGEST.total_seconds() // 3600)


def block_of(*signals: np.ndarray) -> Block:
    time = np.datetime64("2026-01-05", "us") + np.arange(len(signals[0])) * np.timedelta64(30, "m")
    return Block(time.astype("datetime64[us]"), np.stack(signals))


def step_at(row: int, size: float, count: int = 60) -> np.ndarray:
    return np.where(np.arange(count) >= row, size, 0.0)


@pytest.mark.parametrize("size", [5.0, -3.0])
def test_a_step_has_its_size_and_side_at_the_reading_that_jumped(size: float) -> None:
    sizes = step_sizes(block_of(step_at(30, size)))[0]
    assert np.argmax(np.abs(sizes)) == 30
    assert sizes[30] == size


def test_a_ramp_and_a_single_spike_have_no_step() -> None:
    ramp, spike = np.arange(60) / 10, np.where(np.arange(60) == 30, 9.0, 0.0)
    assert np.abs(step_sizes(block_of(ramp, spike))).max() == pytest.approx(0.0, abs=1e-9)


def test_readings_that_are_far_from_each_other_have_no_step() -> None:
    whole = block_of(step_at(30, 5.0))
    late = np.where(np.arange(60) >= 30, np.timedelta64(20, "h"), np.timedelta64(0, "h"))
    assert not step_sizes(Block(whole.time + late, whole.values)).any()


def test_what_steps_with_another_signal_is_the_machine() -> None:
    alone, with_others = block_of(step_at(30, 5.0), step_at(50, 4.0)), block_of(step_at(30, 5.0), step_at(32, 4.0))
    change = np.ones(2)
    assert lone(step_sizes(alone), change)[0, 30] == 5.0
    assert lone(step_sizes(with_others), change)[0, 30] == 0.0


def test_a_step_before_a_stop_is_nobodys() -> None:
    steps = np.zeros((3, 60), np.bool_)
    steps[0, 30] = steps[1:, 30 + REACHES_ON] = True
    assert followed(steps)[0, 30], "known only once the machine had stopped"
    assert np.flatnonzero(followed(steps)[0]).tolist() == list(range(30, 30 + REACHES_ON))
    assert not followed(steps[:1])[0].any(), "its own next step is no other signal's"
    assert not followed(steps)[:, 30 + REACHES_ON :].any()


def test_the_usual_change_is_that_of_readings_which_changed() -> None:
    moving = np.cumsum(np.tile([0.0, 0.0, 0.0, 2.0], 15))
    assert usual_change(block_of(moving, np.ones(60))).tolist() == [2.0, np.inf]


def test_a_step_holds_until_it_steps_back_or_agrees_again_or_for_a_week() -> None:
    steps, agrees = np.zeros((3, 400), np.int8), np.zeros((3, 400), np.bool_)
    steps[:, 10] = 1
    steps[0, 60] = -2
    agrees[1, 100:] = True
    found = stepped(steps, agrees)
    assert np.flatnonzero(found[0])[[0, -1]].tolist() == [10, 59]
    assert np.flatnonzero(found[1])[[0, -1]].tolist() == [10, 118], "twenty hours of agreement"
    assert np.flatnonzero(found[2])[[0, -1]].tolist() == [10, 10 + WEEK - 1]


def test_the_way_back_of_a_step_opens_none() -> None:
    steps = np.zeros((2, 600), np.int8)
    steps[:, 10], steps[0, 60], steps[1, 60 + WEEK] = 1, -1, -1
    first, later = stepped(steps, np.zeros(steps.shape, np.bool_))
    assert not first[60:].any()
    assert later[60 + WEEK], "a week later it is one of its own"


def test_a_fault_is_held_for_six_hours_after_its_last_mark() -> None:
    marks = np.zeros((1, 20), np.int8)
    marks[0, 3:5] = 2
    assert np.flatnonzero(held(marks)[0] == 2).tolist() == list(range(3, 10))
