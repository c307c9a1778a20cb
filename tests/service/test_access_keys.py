"""Keys of programs, and the rates of what they change."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ingest.errors import AccessError
from ingest.replay import replay
from service.access import keys
from service.access.keys import Wish
from service.access.role import Right, Role
from service.access.tables import key_table
from service.access.token import digest_of
from service.alerts.tables import work_order_table
from tests.service.guarded_works import LINE_1, OTHER, OWN, Browser, GuardedWorks, open_guarded


@pytest.fixture
def works(tmp_path: Path) -> Iterator[GuardedWorks]:
    for each in open_guarded(tmp_path, changes_per_minute=5):
        each.user("Ada")
        yield each


def push(program: Browser, *machines: str) -> Any:
    rows = [{"machine": each, "time": "2026-05-03T03:00:00Z", "temperature": 20.5} for each in machines]
    return program.ask("POST", "/api/v1/readings", json=rows).response


def test_of_a_key_only_a_digest_is_kept(works: GuardedWorks) -> None:
    secret = works.key(Right.READ)

    with works.room.state.read() as connection:
        kept = connection.execute(select(key_table)).one()

    assert kept.digest == digest_of(secret)
    assert secret not in str(kept)
    assert secret.startswith(kept.prefix)
    assert len(secret) == len("andon_") + 43


def test_a_key_does_what_its_rights_say_and_nothing_else(works: GuardedWorks) -> None:
    reader, sender = works.program(Right.READ), works.program(Right.SEND)

    assert reader.get("/api/v1/plant").status == 200
    assert push(reader, OWN).status_code == 403
    assert push(sender, OWN).status_code == 200
    assert sender.get("/api/v1/plant").status == 403


def test_a_key_may_come_as_the_password_of_any_user(works: GuardedWorks) -> None:
    secret = works.key(Right.READ)

    def asked(written: str) -> int:
        return works.browser(headers={"Authorization": written}).get("/api/v1/plant").status

    def basic(text: str) -> str:
        return f"Basic {b64encode(text.encode()).decode()}"

    assert asked(basic(f"prometheus:{secret}")) == asked(basic(f":{secret}")) == 200
    for wrong in (secret, f"{secret}:", f"{secret}:x", f"x:{secret}x", "x:andon_", "ä:ö"):
        assert asked(basic(wrong)) == 401, wrong
    for broken in ("Basic", "Basic ====", "Basic !", f"Digest {secret}"):
        assert asked(broken) == 401, broken


@pytest.mark.parametrize("wrong", ["andon_", "andon_x", "Bearer", "andon_" + "A" * 43])
def test_a_key_that_was_made_up_is_refused_also_where_nothing_is_needed_to_look(
    works: GuardedWorks, wrong: str
) -> None:
    answer = works.browser(headers={"Authorization": f"Bearer {wrong}"}).get("/api/v1/plant")

    assert answer.status == 401
    assert answer.response.headers["www-authenticate"] == 'Bearer realm="andon"'


def test_a_key_ends_at_its_time(works: GuardedWorks) -> None:
    secret = works.key(Right.READ, lasting=timedelta(days=1))
    program = works.browser(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/plant").status == 200

    works.now += timedelta(days=1)

    assert program.get("/api/v1/plant").status == 401


def test_both_keys_work_during_a_rotation_and_the_new_one_alone_after_it(works: GuardedWorks) -> None:
    admin = works.browser()
    admin.sign_in("Ada")
    token = {"X-CSRF-Token": admin.csrf()}
    sent = {"name": "gateway", "rights": ["read"], "reach": ["line:Line 1"]}
    first = admin.ask("POST", "/api/v1/keys", json=sent, headers=token).response.json()

    answer = admin.ask("POST", f"/api/v1/keys/{first['key']['id']}/rotate", json={"overlap": "1 h"}, headers=token)
    second = answer.response.json()

    assert second["key"]["reach"] == ["line:Line 1"]
    old, new = (works.browser(headers={"Authorization": f"Bearer {each['secret']}"}) for each in (first, second))
    assert old.get("/api/v1/plant").status == new.get("/api/v1/plant").status == 200
    works.now += timedelta(hours=1)
    assert (old.get("/api/v1/plant").status, new.get("/api/v1/plant").status) == (401, 200)


def test_a_key_that_is_revoked_opens_nothing_from_the_next_request_on(works: GuardedWorks) -> None:
    program, admin = works.program(Right.READ), works.browser()
    admin.sign_in("Ada")
    assert program.get("/api/v1/plant").status == 200

    answer = admin.ask("DELETE", "/api/v1/keys/1", headers={"X-CSRF-Token": admin.csrf()})

    assert answer.status == 204
    assert program.get("/api/v1/plant").status == 401


def test_a_key_that_another_process_revokes_opens_for_two_seconds_at_most(works: GuardedWorks) -> None:
    program = works.program(Right.READ)
    assert program.get("/api/v1/plant").status == 200
    with works.room.state.write() as connection:
        keys.revoke(connection, keys.show(connection, 1), at=works.now)

    works.now += timedelta(seconds=2)

    assert program.get("/api/v1/plant").status == 401


def test_when_a_key_was_last_used_can_be_seen(works: GuardedWorks) -> None:
    program = works.program(Right.READ)
    with works.room.state.read() as connection:
        assert keys.show(connection, 1).used is None

    program.get("/api/v1/plant")

    with works.room.state.read() as connection:
        assert keys.show(connection, 1).used == works.now


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"rights": [Right.MANAGE]}, "some of these rights"),
        ({"rights": []}, "some of these rights"),
        ({"name": " "}, "no name of a key"),
        ({"name": "a\nb\x00"}, "no name of a key"),
        ({"lasting": timedelta(days=1000)}, "days at most"),
        ({"lasting": timedelta(0)}, "lasts for some time"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_what_would_be_right(
    works: GuardedWorks, wish: dict[str, Any], why: str
) -> None:
    with pytest.raises(AccessError, match=why), works.room.state.write() as connection:
        keys.make(connection, Wish(**{"name": "k", "rights": [Right.READ], **wish}), by="test", at=works.now)


def test_a_users_own_key_can_never_do_more_than_the_user(works: GuardedWorks) -> None:
    viewer = works.signed_in("Vera", Role.VIEWER, LINE_1)
    token = viewer.csrf()

    refused = viewer.form("/account/keys", {"csrf": token, "name": "k", "right-read": "yes", "right-send": "yes"})
    made = viewer.form("/account/keys", {"csrf": token, "name": "k", "right-read": "yes"})

    assert refused.status == 422
    secret = made.text.partition("<pre>")[2].partition("</pre>")[0]
    program = works.browser(headers={"Authorization": f"Bearer {secret}"})
    assert [each["name"] for each in program.get("/api/v1/machines").response.json()["items"]] == [OWN, "mixer-1"]


def test_nobody_revokes_the_key_of_another_user(works: GuardedWorks) -> None:
    works.key(Right.READ)
    viewer = works.signed_in("Vera", Role.VIEWER)

    assert viewer.form("/account/keys/1/revoke", {"csrf": viewer.csrf()}).status == 404


def test_a_sender_of_one_line_sends_nothing_for_another(works: GuardedWorks) -> None:
    sender = works.program(Right.SEND, reach=LINE_1)

    mixed = push(sender, OWN, OTHER)
    hidden, unknown = push(sender, OTHER), push(sender, "hidden-99")

    assert (mixed.status_code, mixed.json()["accepted"], mixed.json()["rejected"]) == (200, 1, 1)
    assert hidden.status_code == unknown.status_code == 422
    assert hidden.text.replace(OTHER, "X") == unknown.text.replace("hidden-99", "X")
    assert works.room.store.spans("press").keys() == {OWN}


def test_what_a_sender_may_not_send_is_not_let_in_by_replaying_it_either(works: GuardedWorks) -> None:
    push(works.program(Right.SEND, reach=LINE_1), OTHER)
    csv = f"machine,time,temperature\n{OTHER},2026-05-03T03:00:00Z,20.5\n"
    headers = {"Content-Type": "text/csv"}
    works.program(Right.SEND, reach=LINE_1).ask("POST", "/api/v1/readings", content=csv, headers=headers)

    report = replay(works.room.store, works.room.plant)

    assert (report.tried, report.readings) == (2, 0)
    assert OTHER not in works.room.store.spans("press")


def test_events_are_told_only_of_machines_that_are_reached(works: GuardedWorks) -> None:
    teller = works.program(Right.TELL, reach=LINE_1)
    event = {"kind": "maintenance", "time": "2026-05-03T03:00:00Z"}

    answer = teller.ask(
        "POST", "/api/v1/events", json=[{**event, "machine": OWN}, {**event, "machine": OTHER}]
    ).response

    assert (answer.json()["added"], answer.json()["rejected"]) == (1, 1)


def test_too_many_changes_of_one_sender_wait_and_others_do_not(works: GuardedWorks) -> None:
    number = works.alert(OWN).number
    busy, calm = (
        works.program(Right.ACT),
        works.browser(headers={"Authorization": f"Bearer {works.key(Right.ACT, name='b')}"}),
    )
    path = f"/api/v1/alerts/{number}/comment"

    answers = [busy.ask("POST", path, json={"text": "x"}) for _ in range(6)]

    assert [each.status for each in answers] == [200] * 5 + [429]
    assert int(answers[-1].response.headers["retry-after"]) == 12
    assert calm.ask("POST", path, json={"text": "x"}).status == 200
    works.now += timedelta(seconds=12)
    assert busy.ask("POST", path, json={"text": "x"}).status == 200


def test_pushes_of_readings_are_not_counted(works: GuardedWorks) -> None:
    sender = works.program(Right.SEND)

    assert {push(sender, OWN).status_code for _ in range(20)} == {200}


def test_an_address_that_tries_many_keys_has_to_wait(works: GuardedWorks) -> None:
    answers = [
        works.browser(headers={"Authorization": f"Bearer andon_{each}"}).get("/api/v1/plant").status
        for each in range(62)
    ]

    assert answers[:60] == [401] * 60
    assert answers[-1] == 429


def test_each_change_of_users_and_keys_is_a_record_with_the_person_in_the_audit_trail(works: GuardedWorks) -> None:
    ines = works.signed_in("Ines")
    token = {"X-CSRF-Token": ines.csrf()}

    new = {"name": "Vera", "role": "viewer", "reach": ["line:Line 1"]}
    assert ines.ask("POST", "/api/v1/users", json=new, headers=token).status == 201
    key = {"name": "gateway", "rights": ["send"], "reach": ["whole plant"]}
    made = ines.ask("POST", "/api/v1/keys", json=key, headers=token)
    assert made.status == 201
    number = made.response.json()["key"]["id"]
    assert ines.ask("DELETE", f"/api/v1/keys/{number}", headers=token).status == 204

    answer = ines.get("/api/v1/audit").response
    records = [(e["by"], e["subject"], e["name"], e["what"]) for e in answer.json()["items"]]
    assert records[:3] == [
        ("Ines", "key", str(number), "revoked"),
        ("Ines", "key", str(number), "made"),
        ("Ines", "user", "Vera", "added"),
    ]
    assert made.response.json()["secret"] not in answer.text


def test_whoever_reaches_one_line_decides_with_the_routes_and_machines_of_the_whole_plant(works: GuardedWorks) -> None:
    narrowed = works.room.only([OWN])

    assert [each.name for each in narrowed.plant.machines] == [OWN]
    assert narrowed.rules().plant is works.room.plant


def test_work_orders_of_another_line_are_neither_listed_nor_there(works: GuardedWorks) -> None:
    alerts = {machine: works.alert(machine).number for machine in (OWN, OTHER)}
    with works.room.state.write() as connection:
        for machine in (OWN, OTHER):
            row = {"alert": alerts[machine], "machine": machine, "cause": "bearing"}
            moment = {"act_before": works.now, "drafted_at": works.now}
            connection.execute(insert(work_order_table).values(**row, **moment, state="draft", title=machine, worth=1))
    viewer = works.signed_in("Vera", Role.VIEWER, LINE_1)

    answer = viewer.get("/api/v1/work-orders")

    assert [each["machine"] for each in answer.response.json()["items"]] == [OWN]
    assert [viewer.get(f"/api/v1/work-orders/{number}").status for number in (1, 2)] == [200, 404]
