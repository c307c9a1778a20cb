"""Webhooks: to places that are allowed, signed, and never for longer than their time."""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import DeliveryError
from ingest.plant_target import MessageTarget
from service.alerts.labels import fingerprint
from service.delivery.alertmanager import alertmanager_body
from service.delivery.allowed import is_allowed, read_allowed
from service.delivery.channels.catalogue import open_channel
from service.delivery.channels.channel import Surroundings
from service.delivery.channels.web import outcome_of
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeKind
from service.delivery.outcome import Later, Never, Outcome, Sent
from service.delivery.signature import keys_of, signed_headers
from tests.ports import deserted_port
from tests.receiver import Answer, receiving
from tests.service.delivery.conftest import NOW, around

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of the specification's libraries
HERE = read_allowed("127.0.0.0/8, ::1/128")
BODY = {
    "plant": "Works",
    "site": "Ulm",
    "line": "Line 1",
    "machine": "press-1",
    "alert": 7,
    "status": "firing",
    "state": "unacknowledged",
    "kind": "failure ahead",
    "cause": "bearing",
    "sentence": "press-1: bearing likely to fail within 24 h (60 %)",
    "level": 0.6,
    "begin": "2026-03-01T05:00:00+00:00",
    "end": None,
    "act_before": "2026-03-02T05:00:00+00:00",
}


def notice(**body: Any) -> Notice:
    return Notice(
        id=1,
        message="a1b2",
        target="mes",
        kind=NoticeKind.RAISED,
        alert=7,
        machine="press-1",
        body=BODY | body,
        at=NOW,
        due=NOW,
    )


def target(url: str, kind: str = "webhook", **keys: Any) -> MessageTarget:
    given = {"secret_variable": "HOOK", **keys}
    return MessageTarget(name="mes", kind=kind, address=url, **given)  # type: ignore[arg-type]


def send(url: str, *, environment: Mapping[str, str] | None = None, **keys: Any) -> Outcome:
    known = around(environment={"HOOK": SECRET} if environment is None else environment, allowed=HERE)
    return open_channel(target(url, **keys), known).send(notice(), NOW)


def test_a_signature_is_what_the_libraries_of_the_specification_expect() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', keys_of(SECRET, "mes"), at)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_changed_both_sign() -> None:
    new = "whsec_" + "A" * 32
    with receiving() as receiver:
        assert send(receiver.url, environment={"HOOK": f"{new} {SECRET}"}) == Sent()
        (got,) = receiver.deliveries
    for each in (new, SECRET):
        alone = signed_headers("a1b2", got.body, keys_of(each, "mes"), NOW)["webhook-signature"]
        assert alone in got.headers["webhook-signature"].split(" ")
    assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize("secret", ["hunter2", "whsec_####", "whsec_c2hvcnQ=", "whsec_" + "A" * 100])
def test_what_is_no_secret_of_a_webhook_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(DeliveryError, match=r"openssl rand") as error:
        keys_of(secret, "mes")
    assert secret not in str(error.value)


def test_a_secret_that_is_missing_is_named_and_one_in_a_file_is_read_anew(tmp_path: Path) -> None:
    known = Surroundings(plant=around().plant.model_copy(update={"folder": tmp_path}), environment={}, allowed=HERE)
    with pytest.raises(DeliveryError, match="the environment has no HOOK, which secret_variable names"):
        open_channel(target("http://127.0.0.1:1/"), known).check()
    filed = open_channel(target("http://127.0.0.1:1/", secret_variable="", secret_file="hook"), known)  # noqa: S106
    with pytest.raises(DeliveryError, match=r"cannot read .*hook, which secret_file names: No such file"):
        filed.check()
    (tmp_path / "hook").write_text(f"{SECRET}\n")
    assert "does not answer" in filed.check()


def test_each_try_sends_the_same_bytes_under_the_same_id() -> None:
    with receiving(lambda _: Answer(503)) as receiver:
        for _ in range(2):
            assert send(receiver.url) == Later("answers 503 Service Unavailable")
        first, second = receiver.deliveries
    assert (first.id, first.body) == (second.id, second.body) == ("a1b2", first.body)
    assert first.document == {"type": "alert.raised", "timestamp": NOW.isoformat(), "data": BODY}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((each, Sent) for each in (200, 201, 204)),
        *((each, Never) for each in (400, 401, 403, 404, 410, 413, 422)),
        *((each, Later) for each in (302, 307, 408, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_each_answer_means_what_it_should(status: int, expected: type[Outcome]) -> None:
    with receiving(lambda _: Answer(status, body=b"because")) as receiver:
        outcome = send(receiver.url)
    assert isinstance(outcome, expected)
    if not isinstance(outcome, Sent):
        assert f"answers {status}" in outcome.why  # type: ignore[union-attr]


def test_a_target_says_how_long_to_leave_it_alone() -> None:
    for text, wait in (("30", 30), ("Sun, 01 Mar 2026 06:02:00 GMT", 120), ("soon", None), ("-5", None)):
        outcome = outcome_of(503, "Busy", {"retry-after": text}, b"", NOW)
        assert outcome == Later("answers 503 Busy", None if wait is None else timedelta(seconds=wait))


def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(lambda _: Answer(307, headers={"Location": other.url})) as receiver:
        outcome = send(receiver.url)
        assert isinstance(outcome, Later)
        assert "redirects are not followed" in outcome.why
        assert other.deliveries == []


def test_who_is_not_allowed_gets_nothing_and_the_message_says_how_to_allow_it() -> None:
    with receiving() as receiver:
        channel = open_channel(target(receiver.url), around(environment={"HOOK": SECRET}))
        with pytest.raises(DeliveryError, match=rf"ANDON_WEBHOOKS_TO: 127\.0\.0\.1:{receiver.port}"):
            channel.send(notice(), NOW)
        assert receiver.deliveries == []


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address", "expected"),
    [
        ("mes:8080", "MES", 8080, "10.0.0.1", True),
        ("mes:8080", "mes", 8081, "10.0.0.1", False),
        ("10.1.0.0/16", "mes", 1, "10.1.255.255", True),
        ("10.1.0.0/16", "mes", 1, "10.2.0.0", False),
        ("[fd00::1]:80", "fd00::1", 80, "fd00::1", True),
        ("fd00::/8", "mes", 1, "fd12::1%eth0", True),
        ("0.0.0.0/0", "mes", 1, "fd12::1", False),
        ("", "mes", 80, "127.0.0.1", False),
    ],
)
def test_only_what_is_named_is_let_through(allowed: str, host: str, port: int, address: str, expected: bool) -> None:
    assert is_allowed(read_allowed(allowed), host, port, address) is expected


@pytest.mark.parametrize("text", ["mes", "10.1.2.3/16", "http://mes:80", "mes:0", "mes:99999"])
def test_what_is_neither_a_place_nor_a_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mes\.plant:8080|10\.1\.0\.0/16"):
        read_allowed(text)


def test_a_receiver_that_gives_a_byte_now_and_then_holds_nobody_beyond_the_time() -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            stream, _ = listener.accept()
            with stream:
                while not ended.wait(0.05):
                    stream.sendall(b"H")

        threading.Thread(target=drip, daemon=True).start()
        outcome = send(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout="300 ms")
        ended.set()
    assert isinstance(outcome, Later)
    assert outcome.why.endswith("no answer within 0.3 s")


def test_nobody_there_a_reset_and_no_answer_are_tried_again() -> None:
    with deserted_port() as port:
        assert isinstance(send(f"http://127.0.0.1:{port}/"), Later)
    with receiving(lambda _: Answer(0)) as receiver:
        assert isinstance(send(receiver.url), Later)
    released = threading.Event()
    with receiving(lambda _: Answer(hangs=released)) as receiver:
        assert isinstance(send(receiver.url, timeout="200 ms"), Later)
        released.set()


def test_alertmanager_s_body_has_labels_that_stay_and_says_firing_or_resolved() -> None:
    known = around(public_address="https://andon.example")
    firing = alertmanager_body(notice(severity="critical"), known)
    over = {"status": "resolved", "state": "normal", "end": "2026-03-01T05:30:00+00:00", "level": 0.1}
    resolved = alertmanager_body(notice(severity="low", **over), known)
    labels = {
        "alertname": "failure ahead",
        "plant": "Works",
        "site": "Ulm",
        "line": "Line 1",
        "machine": "press-1",
        "cause": "bearing",
    }
    (alert,), (ended,) = firing["alerts"], resolved["alerts"]
    assert alert["labels"] == ended["labels"] == firing["commonLabels"] == labels
    assert alert["fingerprint"] == ended["fingerprint"] == fingerprint(labels)
    assert (firing["version"], firing["status"], resolved["status"]) == ("4", "firing", "resolved")
    assert firing["groupKey"] == resolved["groupKey"]
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-03-01T05:00:00Z", "0001-01-01T00:00:00Z")
    assert ended["endsAt"] == "2026-03-01T05:30:00Z"
    assert alert["generatorURL"] == "https://andon.example/alerts/7"
    assert set(firing) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver"),
        *("groupLabels", "commonLabels", "commonAnnotations", "externalURL", "alerts"),
    }
    assert alert["annotations"]["severity"] == "critical"
    json.dumps(firing)


def test_several_alerts_of_one_message_are_a_group_that_fires_while_one_does() -> None:
    known = around(public_address="https://andon.example")
    one = {"alert": 7, "kind": "anomaly", "machine": "press-1", "cause": "odd", "status": "firing", "sentence": "odd"}
    other = {**one, "alert": 8, "machine": "press-2", "status": "resolved", "end": "2026-03-01T05:30:00+00:00"}
    body = alertmanager_body(replace(notice(), body={"plant": "Works", "alerts": [one, other], "more": [9]}), known)
    assert (body["status"], body["truncatedAlerts"]) == ("firing", 1)
    assert [each["status"] for each in body["alerts"]] == ["firing", "resolved"]
    assert [each["generatorURL"] for each in body["alerts"]] == [
        "https://andon.example/alerts/7",
        "https://andon.example/alerts/8",
    ]
    assert body["commonLabels"] == {"alertname": "anomaly", "plant": "Works", "cause": "odd"}
    over = alertmanager_body(replace(notice(), body={"plant": "Works", "alerts": [other, other]}), known)
    assert over["status"] == "resolved"


def test_a_fingerprint_is_that_of_prometheus() -> None:
    # From the tests of prometheus/common: the signature of one label.
    assert fingerprint({"name": "garland, briggs", "fear": "love is not enough"}) == f"{5799056148416392346:016x}"


def test_a_message_that_tells_of_no_alert_has_a_body_of_alertmanager_too() -> None:
    digest = Notice(
        id=1, message="d", target="mes", kind=NoticeKind.DIGEST, alert=None, machine="", due=NOW, at=NOW,
        body={"plant": "Works", "subject": "Night shift", "text": "All quiet."},
    )  # fmt: skip
    body = alertmanager_body(digest, around())
    assert body["alerts"][0]["labels"] == {"alertname": "Digest", "plant": "Works"}
    assert body["commonAnnotations"]["text"] == "All quiet."
