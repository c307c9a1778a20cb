"""E-mail: what people read, and what each answer of a server means."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.plant_target import MessageTarget
from service.delivery.channels.catalogue import open_channel
from service.delivery.mail import mail_of
from service.delivery.outcome import Later, Never, Outcome, Sent
from tests.mail_server import MailServer, mailing
from tests.ports import deserted_port
from tests.service.delivery.conftest import NOW, around
from tests.service.delivery.test_web import notice

BERLIN = ZoneInfo("Europe/Berlin")
DUE = "2026-03-01T05:30:00+00:00"
TO = ["shift@plant.example", "maintenance@plant.example"]


def send(address: str, environment: dict[str, str] | None = None, **keys: Any) -> Outcome:
    target = MessageTarget(
        name="shift", kind="email", address=address, to=TO, sender="andon@plant.example", timeout="5 s", **keys
    )
    known = around(public_address="https://andon.example", environment=environment or {})
    return open_channel(target, known).send(notice(), NOW)


def text_of(server: MailServer) -> list[str]:
    (mail,) = server.mails
    return str(mail.get_content()).splitlines()


def test_a_person_reads_what_happened_until_when_to_act_and_where_to_look() -> None:
    with mailing() as server:
        assert send(server.address) == Sent()
        assert text_of(server) == [
            "press-1: bearing likely to fail within 24 h (60 %)",
            "Where: press-1, Line 1, Ulm",
            "Act before: 2026-03-02 06:00 CET",
            "",
            "https://andon.example/alerts/7",
        ]
        (mail,) = server.mails
    assert mail["Subject"] == "[Works] press-1: bearing likely to fail within 24 h (60 %)"
    assert (mail["From"], mail["To"]) == ("andon@plant.example", ", ".join(TO))
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<a1b2@andon>", "auto-generated")


def test_several_alerts_come_in_one_mail_each_with_where_and_until_when() -> None:
    one = {"alert": 7, "machine": "press-1", "severity": "high", "sentence": "press-1 fails", "act_before": DUE}
    other = {"alert": 8, "machine": "press-2", "status": "resolved", "sentence": "press-2 drifts", "end": DUE}
    body = {"plant": "Works", "alerts": [one, other], "more": [9, 10]}
    mail = mail_of(replace(notice(), body=body), sender="a@b.example", to=TO, zone=BERLIN, link="http://andon/")
    assert mail["Subject"] == "[Works] press-1 fails; and 3 more"
    assert str(mail.get_content()).splitlines() == [
        "press-1 fails; and 3 more",
        "",
        "press-1 fails",
        "Where: press-1",
        "How bad: high",
        "Act before: 2026-03-01 06:30 CET",
        "",
        "Over: press-2 drifts",
        "Where: press-2",
        "Over since: 2026-03-01 06:30 CET",
        "",
        "And 2 more: alerts 9, 10",
        "",
        "http://andon/",
    ]


def test_an_alert_that_is_over_says_so_and_belongs_to_the_same_conversation() -> None:
    def mail(**body: Any) -> Any:
        return mail_of(notice(**body), sender="a@b.example", to=TO, zone=BERLIN, link="")

    over = mail(status="resolved", end="2026-03-01T05:30:00+00:00")
    assert over["References"] == mail()["References"] == "<alert-7@andon>"
    assert over["Subject"].startswith("[Works] Over: press-1")
    assert "Over since: 2026-03-01 06:30 CET" in over.get_content()
    assert "Act before" not in over.get_content()


def test_no_text_of_an_alert_can_write_a_header() -> None:
    mail = mail_of(
        notice(subject="bearing\r\nBcc: everyone@plant.example", plant="Works\n"), sender="a@b.example", to=TO,
        zone=BERLIN, link="",
    )  # fmt: skip
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[Works ] bearing Bcc: everyone@plant.example"


@pytest.mark.parametrize(("answer", "expected"), [("451 later", Later), ("552 too big", Never), ("250 OK", Sent)])
def test_a_server_that_will_never_take_a_message_is_told_from_one_that_cannot_now(
    answer: str, expected: type[Outcome]
) -> None:
    with mailing(answer=answer) as server:
        outcome = send(server.address)
    assert isinstance(outcome, expected)
    if not isinstance(outcome, Sent):
        assert answer in outcome.why  # type: ignore[union-attr]


def test_receivers_that_are_refused_are_named() -> None:
    no = dict.fromkeys(TO, "550 no such person")
    with mailing(no) as server:
        assert send(server.address) == Never("; ".join(f"{name}: 550 no such person" for name in TO))
    with mailing({TO[0]: "550 no such person"}) as server:
        assert send(server.address) == Sent(f"some did not get it: {TO[0]}: 550 no such person")
        assert len(server.mails) == 1
    with mailing({TO[0]: "450 mailbox busy"}) as server:
        assert send(server.address) == Later(f"{TO[0]}: 450 mailbox busy")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the server of this test
def test_a_password_comes_from_the_environment_and_a_wrong_one_loses_nothing() -> None:
    who: dict[str, Any] = {"user": "andon", "secret_variable": "MAIL_PASSWORD"}
    with mailing(password="sesame") as server:  # noqa: S106 - of a server of this test
        assert send(server.address, {"MAIL_PASSWORD": "sesame"}, **who) == Sent()
        wrong = send(server.address, {"MAIL_PASSWORD": "simsim"}, **who)
    assert isinstance(wrong, Later)
    assert "does not let us in" in wrong.why


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with deserted_port() as port:
        outcome = send(f"smtp://127.0.0.1:{port}")
    assert isinstance(outcome, Later)
    assert f"127.0.0.1:{port} does not answer" in outcome.why
