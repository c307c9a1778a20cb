"""Apprise: Slack, Teams and the rest, by one URL that is a secret."""

import json

import pytest

from ingest.errors import DeliveryError
from ingest.plant_target import MessageTarget
from service.delivery.channels.catalogue import open_channel
from service.delivery.outcome import Later, Outcome, Sent
from tests.receiver import Answer, receiving
from tests.service.delivery.conftest import NOW, around
from tests.service.delivery.test_web import notice

pytest.importorskip("apprise")
# At its first use it loads a hundred services, some of which import what newer Pythons deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TARGET = MessageTarget(name="chat", kind="apprise", secret_variable="CHAT")  # noqa: S106 - the name of a variable


def send(url: str) -> Outcome:
    return open_channel(TARGET, around(environment={"CHAT": url})).send(notice(), NOW)


def test_a_service_that_apprise_knows_gets_headline_and_text() -> None:
    with receiving() as receiver:
        assert send(f"json://127.0.0.1:{receiver.port}/") == Sent()
        (got,) = receiver.deliveries
    document = json.loads(got.body)
    assert document["title"] == "press-1: bearing likely to fail within 24 h (60 %)"
    assert document["message"].splitlines() == ["Where: press-1, Line 1, Ulm", "Act before: 2026-03-02 06:00 CET"]


def test_a_service_that_does_not_take_it_is_tried_again_with_the_reason() -> None:
    with receiving(lambda _: Answer(500)) as receiver:
        outcome = send(f"json://127.0.0.1:{receiver.port}/")
    assert isinstance(outcome, Later)
    assert "error=500" in outcome.why


def test_an_address_that_apprise_does_not_know_is_refused_without_being_shown() -> None:
    with pytest.raises(DeliveryError, match="no address that Apprise knows") as error:
        send("nonsense://token")
    assert "token" not in str(error.value)
