import numpy as np
import pytest

from models.anomaly.alarm_rate import AlarmRate

LEVELS = np.array([0.999, 0.99, 0.9, 0.5])


def test_where_alerts_were_counted_the_rate_is_what_was_counted() -> None:
    rate = AlarmRate.learn(LEVELS, np.array([0, 6, 30, 20]), years=2.0)

    assert rate is not None
    assert rate(0.99) == pytest.approx(3.0)
    assert rate(0.9) == pytest.approx(15.0)
    # Below that alerts grow together, which makes none of them less false.
    assert rate(0.5) == pytest.approx(15.0)


def test_beyond_what_was_counted_the_rate_falls_as_the_share_of_strange_time_does() -> None:
    rate = AlarmRate.learn(LEVELS, np.array([0, 6, 30, 20]), years=2.0)

    assert rate is not None
    assert rate(0.999) == pytest.approx(0.3)
    assert rate(0.9995) == pytest.approx(0.15)
    assert not rate.beyond(0.9995)


def test_nothing_is_claimed_that_is_rarer_than_once_in_ten_times_the_history() -> None:
    rate = AlarmRate.learn(LEVELS, np.array([0, 6, 30, 20]), years=2.0)

    assert rate is not None
    assert rate(0.9999) == rate(1 - 1e-12) == pytest.approx(1 / 20)
    assert rate.beyond(0.9999)
    assert not rate.beyond(0.99)


def test_a_stranger_level_never_has_a_higher_rate() -> None:
    random = np.random.default_rng(0)
    levels = np.sort(random.uniform(0.3, 0.9999, 40))[::-1]
    rate = AlarmRate.learn(levels, random.integers(0, 50, 40), years=3.0)

    assert rate is not None
    assert (np.diff([rate(level) for level in np.linspace(0, 1, 200)]) <= 1e-9).all()


def test_nothing_is_said_where_nothing_was_raised() -> None:
    assert AlarmRate.learn(LEVELS, np.zeros(4, dtype=np.intp), years=2.0) is None
    assert AlarmRate.of_card({"threshold": None}) is None


def test_a_card_gives_back_what_was_learnt() -> None:
    rate = AlarmRate.learn(LEVELS, np.array([0, 6, 30, 20]), years=2.0)

    assert rate is not None
    assert AlarmRate.of_card({"threshold": {"false_alarms_per_machine_year": rate.to_list()}}) == rate
