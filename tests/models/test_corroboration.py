"""A sensor that lies is told from a machine by the other signals, whatever it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.anomaly.corroboration import Corroboration
from models.anomaly.deviations import hours_of
from models.anomaly.usual import usual_of
from tests.models.test_principal_components import NAMES, SIGNALS, driven

_LEVELS = [NAMES.index(f"{signal}__mean__24h") for signal in SIGNALS]


@pytest.fixture(scope="module")
def learnt() -> Corroboration:
    healthy = driven(2_000)
    found = Corroboration.learn(healthy, hours_of(healthy), usual_of(healthy))
    assert found is not None
    return found


def test_a_sensor_that_is_off_by_a_constant_is_alone(learnt: Corroboration) -> None:
    for place, signal in zip(_LEVELS, SIGNALS, strict=True):
        table = driven(300, seed=1)
        table.values[:, place] += 60.0

        assert (learnt.lone(table) == signal).mean() > 0.95


def test_what_two_signals_show_is_not_of_one_sensor(learnt: Corroboration) -> None:
    table = driven(300, seed=1)
    table.values[:, _LEVELS[0]] -= 60.0
    table.values[:, _LEVELS[1]] += 60.0

    assert (learnt.lone(table) == "").mean() > 0.95


def test_a_signal_stands_out_by_how_much_less_strange_the_others_are_without_it(learnt: Corroboration) -> None:
    assert learnt.most is not None
    assert (learnt.most >= 1).all()
    far = float(learnt.most.max())
    out, level, beyond = np.full((3, len(SIGNALS)), 9.0)
    out[1] = level[1] = 0.9 * float(learnt.most.min())
    level[2] = level[1] / 0.9
    beyond[1] = far + 0.1

    assert learnt.standing_out(np.stack([out, level, beyond])).tolist() == [learnt.signals[1], "", ""]


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_sensor_that_is_off_stands_out_and_nothing_does_where_two_are(learnt: Corroboration, signal: str) -> None:
    table, both = driven(300, seed=1), driven(300, seed=1)
    table.values[:, _LEVELS[SIGNALS.index(signal)]] += 60.0
    both.values[:, _LEVELS[0]] -= 60.0
    both.values[:, _LEVELS[1]] += 60.0

    assert (learnt.standing_out(learnt.without_each(table)) == signal).mean() > 0.95
    assert (learnt.standing_out(learnt.without_each(both)) == "").mean() > 0.95


def test_what_the_duty_hides_is_seen_between_the_signals_that_are_left(learnt: Corroboration) -> None:
    table = driven(300, seed=1)
    # The duty moves the power by twenty, but the cycle time and the pressure do not go along.
    table.values[:, _LEVELS[1]] += 15.0
    table.values[:, NAMES.index("pressure__standard_deviation__24h")] += 20.0

    assert (learnt.lone(table) == "").mean() > 0.95


def test_healthy_time_has_one_signal_at_most_that_is_not_as_usual(learnt: Corroboration) -> None:
    assert (learnt.lone(driven(500, seed=2)) == "").mean() < 0.02


@given(st.floats(-1e6, 1e6), st.sampled_from(range(len(SIGNALS))))
@settings(max_examples=30, deadline=None)
def test_how_strange_the_others_are_does_not_depend_on_what_one_says(
    learnt: Corroboration, said: float, which: int
) -> None:
    table = driven(40, seed=4)
    before = learnt._others(*learnt.deviations.of(table))
    own = [place for place, name in enumerate(NAMES) if name.startswith(f"{SIGNALS[which]}__")]
    table.values[:, own] = said
    after = learnt._others(*learnt.deviations.of(table))
    column = learnt.signals.index(SIGNALS[which])

    np.testing.assert_allclose(after[:, column], before[:, column], rtol=1e-9, atol=1e-9)


def test_of_two_signals_nobody_can_say_which_one_is_alone() -> None:
    healthy = driven(200)
    own = [place for place, name in enumerate(NAMES) if name.startswith(("pressure__", "power__"))]
    table = type(healthy)(
        healthy.machine, healthy.time, tuple(NAMES[at] for at in own), healthy.values[:, own], healthy.filled
    )

    assert Corroboration.learn(table, hours_of(table), usual_of(table)) is None


def test_a_row_is_judged_by_itself(learnt: Corroboration) -> None:
    table = driven(50, seed=6)
    table.values[::3, _LEVELS[0]] += 60.0

    together = learnt.lone(table)

    assert [learnt.lone(table.where(np.array([row])))[0] for row in range(len(table))] == together.tolist()
