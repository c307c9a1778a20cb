from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from ingest.errors import NotEnoughDataError
from ingest.event import Event, events_table
from ingest.plant import ModelEntry, Target
from models.judging.sufficiency import Sufficiency, sufficiency
from models.labels.label import target_events

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
SPANS = {f"m{number}": (ZERO, ZERO + timedelta(days=100)) for number in range(10)}


def failures_at(*places: tuple[int, float]) -> pd.DataFrame:
    events = [Event(machine=f"m{number}", kind="failure", time=ZERO + timedelta(days=day)) for number, day in places]
    return target_events(events_table(events), Target())


def asked(*places: tuple[int, float], task: str = "failure_risk", until: float = 100) -> Sufficiency:
    entry = ModelEntry.model_validate({"name": "risk", "task": task, "class": "press", "horizon": "24 h"})
    return sufficiency(entry, failures_at(*places), SPANS, ZERO + timedelta(days=until))


def test_no_failure_at_all_offers_the_model_that_needs_none() -> None:
    with pytest.raises(NotEnoughDataError, match=r'no failure in the history.*write task = "anomaly"') as raised:
        asked()

    assert "\n" not in str(raised.value)


def test_a_failure_that_is_not_known_yet_is_none() -> None:
    with pytest.raises(NotEnoughDataError):
        asked((1, 50), until=40)


def test_failures_before_the_first_reading_teach_nothing_and_are_not_told_as_if_nobody_had_recorded_them() -> None:
    with pytest.raises(NotEnoughDataError, match="2 recorded: see whether their times and machines are right"):
        asked((1, -1), (2, -3))


def test_what_cannot_be_learnt_is_named_by_its_task() -> None:
    with pytest.raises(NotEnoughDataError, match="nothing to learn a remaining life from"):
        asked(task="remaining_life")


def test_one_failure_says_what_can_be_claimed() -> None:
    result = asked((1, 50))

    assert not result.enough
    assert "1 of 1 is 100 % [21–100 %]" in result.claim


def test_failures_of_one_machine_within_a_horizon_count_once() -> None:
    assert asked((1, 50), (1, 50.5), (1, 52)).failures == 2


@pytest.mark.parametrize(
    ("places", "enough"),
    [
        ([(number, 50) for number in range(9)], False),
        ([(number, 50) for number in range(10)], True),
        ([(number % 4, 10 + number) for number in range(12)], False),
    ],
)
def test_a_supervised_model_wants_ten_failures_on_five_machines(places: list[tuple[int, float]], enough: bool) -> None:
    assert asked(*places).enough is enough


def test_an_anomaly_model_needs_no_failure() -> None:
    assert asked(task="anomaly").enough
