from datetime import timedelta

import numpy as np
import pytest

from models.assessment import Assessments, Reason
from models.judging.evaluate import AlertVerdict, AssessedTime, EventVerdict, JudgedAlert, JudgedEvent, Verdict
from models.judging.missed import misses

ZERO = np.datetime64("2026-01-01", "us")
HOUR = np.timedelta64(1, "h")
DAY = timedelta(hours=24)


def at(hour: float) -> np.datetime64:
    return ZERO + np.timedelta64(int(hour * 60), "m")


def said(levels: list[float | None], reason: Reason = Reason.OFF) -> Assessments:
    level = np.array([np.nan if each is None else each for each in levels])
    why = np.where(np.isnan(level), reason.value, Reason.OK.value).astype(object)
    time = np.array([at(hour) for hour in range(len(levels))])
    return Assessments("m", "1", np.full(len(levels), "press", object), time, level, why, 0.5)


def why(
    levels: list[float | None],
    alerts: list[float] | None = None,
    verdict: EventVerdict = EventVerdict.MISSED,
    reason: Reason = Reason.OFF,
) -> tuple[str, str]:
    """Return why an event at hour 40 was missed, which needs 4 h of lead."""
    event = JudgedEvent("press", at(40), at(40), verdict, None, 4.0, "seal", at(36))
    judged = tuple(JudgedAlert("press", at(each), None, AlertVerdict.LATE, at(40)) for each in alerts or ())
    (miss,) = misses(Verdict(judged, (event,), 1.0), said(levels, reason), DAY, (2, 3))
    assert (miss.machine, miss.mode) == ("press", "seal")
    return miss.why, miss.sentence


def test_a_level_that_never_rose_is_told_beside_the_threshold() -> None:
    assert why([0.1] * 30 + [0.31] + [0.1] * 10) == ("level never over", "the level rose to 0.31; 0.5 raises an alert")


def test_a_level_that_was_over_too_briefly_is_told_with_the_delay() -> None:
    found = why([0.1] * 30 + [0.9] + [0.1] * 10)

    assert found == ("over too briefly", "over the threshold in 1 of 21 windows, and 2 of the last 3 raise an alert")


def test_an_alert_that_came_too_late_is_told_with_the_lead_that_is_needed() -> None:
    found = why([0.1] * 37 + [0.9] * 4, [38.5], EventVerdict.LATE)

    assert found == ("too late", "an alert came 1.5 h before; 4 h are needed")


def test_an_alert_that_lasted_from_before_the_horizon_is_told() -> None:
    assert why([0.9] * 41, [2.0])[0] == "alert began before the horizon"


@pytest.mark.parametrize(
    ("reason", "words"),
    [(Reason.NO_DATA, "no data"), (Reason.OFF, "off"), (Reason.SENSOR_FAULT, "sensor fault")],
)
def test_silence_is_told_with_its_reason(reason: Reason, words: str) -> None:
    found = why([None] * 41, verdict=EventVerdict.NOT_JUDGED, reason=reason)

    assert found == (words, f"nothing was said: {reason.value} 100 %")


def test_silence_for_a_part_of_the_time_is_told_beside_the_rest() -> None:
    assert why([0.1] * 26 + [None] * 15)[1].endswith("; for the rest nothing was said: off 52 %")


def test_a_machine_without_windows_is_told() -> None:
    assert why([0.1] * 3)[0] == "no window"


def test_events_that_were_found_are_no_misses() -> None:
    event = JudgedEvent("press", at(40), at(40), EventVerdict.FOUND, 10.0)

    assert misses(Verdict((), (event,), 1.0), said([0.9] * 41), DAY, (2, 3)) == []


def test_what_rests_on_one_signal_alone_is_told_and_is_no_silence() -> None:
    doubted = said([0.1] * 20 + [0.9] * 21)
    doubted.reason[20:] = Reason.ONE_SIGNAL.value
    event = JudgedEvent("press", at(40), at(40), EventVerdict.MISSED, None, 4.0, "seal", at(36))
    (miss,) = misses(Verdict((), (event,), 1.0), doubted, DAY, (2, 3))

    assert miss.why == "one signal alone"
    assert miss.sentence.startswith("one signal alone departed in 17 of 21 windows")
    assert AssessedTime.of(doubted, timedelta(hours=1)).machine_weeks(DAY) == pytest.approx(41 / 168)
    assert not doubted.over.any()
