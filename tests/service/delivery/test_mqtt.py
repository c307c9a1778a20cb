"""MQTT: the newest state of each machine stays at the broker."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Queue
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.plant_target import MessageTarget
from service.alerts.alert import Alert, AlertState
from service.delivery.channels.mqtt import MqttChannel, topic_of
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeKind
from service.delivery.outcome import Later, Never, Sent
from service.delivery.trial_message import trial_message
from tests.broker import Broker, running_broker
from tests.ports import deserted_port
from tests.service.delivery.conftest import NOW, PLANT, around
from tests.service.delivery.test_web import notice

ALERT = Alert(
    number=7,
    machine="press-1",
    cause="bearing",
    kind="failure ahead",
    model="risk",
    version="1",
    state=AlertState.UNACKNOWLEDGED,
    raised_at=NOW,
    condition_begin=NOW,
    act_before=NOW + timedelta(hours=23),
    level=0.6,
    sentence="press-1: bearing likely to fail",
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


def target(port: int, **keys: Any) -> MessageTarget:
    return MessageTarget(name="panel", kind="mqtt", address=f"mqtt://127.0.0.1:{port}", timeout="5 s", **keys)


def kept(port: int, topic: str = "andon/#") -> list[tuple[str, Any]]:
    """What a broker hands to somebody who comes new, before a message that is sent last."""
    came: Queue[tuple[str, bytes]] = Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: came.put((message.topic, message.payload))
    client.on_subscribe = lambda *_: client.publish("end", b"", qos=1)
    client.connect("127.0.0.1", port)
    client.subscribe([("end", 1), (topic, 1)])
    client.loop_start()
    try:
        found = []
        while (each := came.get(timeout=10))[0] != "end":
            found.append((each[0], json.loads(each[1])))
    finally:
        client.disconnect()
        client.loop_stop()
    return found


def send(port: int, messages: Sequence[Notice], alerts: Sequence[Alert] = (ALERT,), **keys: Any) -> list[Any]:
    channel = MqttChannel(target(port, **keys), around(live_alerts=lambda _: alerts))
    try:
        return [channel.send(each, NOW) for each in messages]
    finally:
        channel.close()


def test_whoever_comes_later_sees_the_state_of_the_machine(broker: Broker) -> None:
    assert send(broker.port, [notice()]) == [Sent()]
    ((topic, state),) = kept(broker.port)
    assert (topic, state["state"], state["message"]) == ("andon/press-1", "alert", "a1b2")
    assert [(each["alert"], each["sentence"]) for each in state["alerts"]] == [(7, ALERT.sentence)]


def test_the_newest_state_takes_the_place_of_the_one_before(broker: Broker) -> None:
    seen = replace(ALERT, state=AlertState.ACKNOWLEDGED)
    for alerts, expected in ([ALERT, seen], "alert"), ([seen], "acknowledged"), ([], "normal"):
        send(broker.port, [notice()], alerts)
        assert [state["state"] for _, state in kept(broker.port)] == [expected]


def test_a_test_leaves_nothing_at_the_broker(broker: Broker) -> None:
    assert send(broker.port, [trial_message("panel", PLANT, at=NOW)]) == [Sent()]
    assert kept(broker.port) == []


def test_one_connection_serves_many_messages_and_a_lost_one_is_made_anew(broker: Broker) -> None:
    channel = MqttChannel(target(broker.port), around(live_alerts=lambda _: [ALERT]))
    assert [channel.send(notice(), NOW) for _ in range(3)] == [Sent()] * 3
    broker.stop()
    assert isinstance(channel.send(notice(), NOW), Later)
    broker.start()
    assert channel.send(notice(), NOW) == Sent()
    channel.close()


def test_a_broker_that_is_not_there_is_tried_again() -> None:
    with deserted_port() as port:
        (outcome,) = send(port, [notice()])
    assert outcome == Later(f"no broker answers at 127.0.0.1:{port} (Connection refused)")


def test_a_broker_that_lets_us_not_in_or_not_write_says_so(tmp_path: Path) -> None:
    with running_broker(tmp_path / "closed", anonymous=False) as closed:
        (outcome,) = send(closed.port, [notice()])
    assert isinstance(outcome, Later)
    assert "refuses: Not authorized" in outcome.why
    rules = tmp_path / "rules"
    rules.write_text("topic read #\n")
    with running_broker(tmp_path / "read", more=f"acl_file {rules}\n") as read_only:
        (outcome,) = send(read_only.port, [notice()])
    assert isinstance(outcome, Never)
    assert "may this user publish there" in outcome.why


def test_a_topic_has_the_machine_in_one_level_whatever_it_is_called() -> None:
    def topic(name: str, kind: NoticeKind = NoticeKind.RAISED, **keys: str) -> str:
        return topic_of(name, kind, target(1, **keys), around())

    assert topic("press-1") == "andon/press-1"
    assert topic("press-1", topic="{plant}/{site}/{line}/{machine}") == "Works/Ulm/Line 1/press-1"
    assert topic("a/+#b", topic="{line}/{machine}") == "-/a___b"
    assert topic("", NoticeKind.DIGEST) == "andon/digest"


def test_a_message_of_several_machines_brings_the_state_of_each(broker: Broker) -> None:
    body = {"plant": "Works", "alerts": [{"alert": 7, "machine": "press-1"}], "machines": ["press-1", "press-2"]}
    known = around(live_alerts=lambda machine: [ALERT] if machine == "press-1" else [])
    channel = MqttChannel(target(broker.port), known)
    assert isinstance(channel.send(replace(notice(), machine="", body=body), NOW), Sent)
    channel.close()
    assert {each["machine"]: each["state"] for _, each in kept(broker.port)} == {
        "press-1": "alert",
        "press-2": "normal",
    }
