"""Alerts that came earlier than the horizon."""

from datetime import timedelta

from models.judging.early import Early
from tests.models.test_evaluate import DAY, judged, watched


def early(alerts: list[int], *failed: int, hours: int = 1000) -> Early:
    seen = watched(range(hours))
    return Early.of(judged(alerts, *[(hour, hour) for hour in failed], seen=seen), seen, DAY)


def test_alerts_between_one_and_ten_horizons_before_an_event_are_early() -> None:
    found = early([300, 340, 390, 700], 400)
    assert found.ahead == (timedelta(hours=100), timedelta(hours=60))


def test_the_sentence_names_the_horizon_that_would_do() -> None:
    found = early([200, 500, 800], 250, 560, 840)
    assert found.sentence(DAY) == (
        "3 of the false alarms began before an event but earlier than the horizon of 24 h;"
        " with a horizon of 60 h they would be right."
    )


def test_a_horizon_of_many_days_is_named_in_whole_days() -> None:
    ahead = (timedelta(hours=567), timedelta(hours=80), timedelta(hours=90))
    assert "with a horizon of 24 d they would be right" in Early(ahead).sentence(3 * timedelta(days=1))


def test_alerts_that_come_at_any_time_alike_are_no_sign() -> None:
    found = early(list(range(0, 1000, 20)), 250, 500, 750)
    assert len(found.ahead) > 10
    assert found.sentence(DAY) == ""


def test_a_single_one_is_no_sign() -> None:
    assert early([300], 400).sentence(DAY) == ""
    assert Early().sentence(DAY) == ""


def test_parts_add_up() -> None:
    parts = [early([200], 250), early([500], 560)]
    assert Early.together(parts).ahead == (timedelta(hours=50), timedelta(hours=60))
