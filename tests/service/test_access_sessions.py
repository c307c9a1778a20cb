"""Sign in, sessions, cookies and forms, attacked from outside."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from service.access import keys, totp, users
from service.access.csrf import csrf_token
from service.access.policy import POLICY, Needs
from service.access.role import Right, Role
from service.access.tables import link_table, session_table, try_table
from service.access.throttle import FREE
from service.access.token import digest_of
from tests.service.guarded_works import LINE_1, OWN, PASSWORD, GuardedWorks, open_guarded


@pytest.fixture
def works(tmp_path: Path) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path)


def code_of(secret: str, works: GuardedWorks) -> str:
    return totp.code_at(secret, int(works.now.timestamp()) // totp.STEP)


def test_whoever_signs_in_gets_a_session_that_only_its_cookie_opens(works: GuardedWorks) -> None:
    works.user("Ines")
    browser = works.browser()

    answer = browser.sign_in("ines", next="/alerts")

    assert (answer.status, answer.response.headers["location"]) == (303, "/alerts")
    cookie = answer.response.headers["set-cookie"]
    assert cookie.startswith("__Host-andon=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}
    assert browser.get("/api/v1/me").response.json()["name"] == "Ines"
    with works.room.state.read() as connection:
        kept = connection.execute(select(session_table)).one()
    token = browser.cookies["__Host-andon"]
    assert kept.digest == digest_of(token)
    assert token not in str(kept)
    assert len(token) == 43


def test_over_http_only_this_computer_gets_a_session(works: GuardedWorks) -> None:
    works.user("Ines")
    near = works.browser(base="http://testserver")

    assert near.sign_in("Ines").status == 303
    assert list(near.cookies) == ["andon-local"]
    works.client._transport.client = ("192.0.2.7", 5000)  # type: ignore[attr-defined]
    far = works.browser(base="http://testserver")
    answer = far.sign_in("Ines")
    assert answer.status == 403
    assert "https" in answer.response.json()["detail"]
    assert near.get("/api/v1/me").status == 401


@pytest.mark.parametrize(
    "next_", ["//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", "javascript:1"]
)
def test_no_sign_in_leads_to_another_site(works: GuardedWorks, next_: str) -> None:
    works.user("Ines")

    assert works.browser().sign_in("Ines", next=next_).response.headers["location"] == "/"


def test_an_id_that_somebody_else_chose_never_becomes_a_session(works: GuardedWorks) -> None:
    works.user("Ines")
    browser = works.browser(cookies={"__Host-andon": "chosen-by-an-attacker"})

    browser.sign_in("Ines")

    assert browser.cookies["__Host-andon"] != "chosen-by-an-attacker"
    assert works.browser(cookies={"__Host-andon": "chosen-by-an-attacker"}).get("/api/v1/me").status == 401


def test_a_session_that_was_there_before_is_over_after_signing_in(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    before = browser.cookies["__Host-andon"]
    works.user("Olaf")

    browser.sign_in("Olaf", csrf=csrf_token(before))

    assert works.browser(cookies={"__Host-andon": before}).get("/api/v1/me").status == 401
    assert browser.get("/api/v1/me").response.json()["name"] == "Olaf"


def test_a_cookie_that_was_changed_anywhere_opens_nothing(works: GuardedWorks) -> None:
    token = works.signed_in("Ines").cookies["__Host-andon"]
    tampered = [token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(0, 43, 6)]

    for each in (*tampered, token[:-1], token + "=", token.lower(), "", digest_of(token)):
        assert works.browser(cookies={"__Host-andon": each}).get("/api/v1/me").status == 401, each


def test_the_cookie_of_plain_http_does_not_count_over_https(works: GuardedWorks) -> None:
    token = works.signed_in("Ines").cookies["__Host-andon"]

    assert works.browser(cookies={"andon-local": token}).get("/api/v1/me").status == 401


@pytest.mark.parametrize("step", [timedelta(hours=11), timedelta(minutes=4)])
def test_a_session_lasts_while_it_is_used_but_never_longer_than_a_week(works: GuardedWorks, step: timedelta) -> None:
    browser = works.signed_in("Ines")
    end = works.now + timedelta(days=7)
    works.now = max(works.now, end - 3 * step) if step < timedelta(hours=1) else works.now
    if step < timedelta(hours=1):
        assert browser.get("/api/v1/me").status == 401  # it was idle for too long
        return
    while works.now + step < end:
        works.now += step
        assert browser.get("/api/v1/me").status == 200

    works.now = end

    assert browser.get("/api/v1/me").status == 401


def test_a_session_is_over_after_half_a_day_without_a_request(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")

    works.now += timedelta(hours=12)

    assert browser.get("/api/v1/me").status == 401


def test_signing_out_ends_the_session_also_for_who_copied_the_cookie(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    copied = works.browser(cookies=dict(browser.cookies))

    answer = browser.form("/sign-out", {"csrf": browser.csrf()})

    assert answer.status == 303
    assert browser.cookies == {}
    assert copied.get("/api/v1/me").status == 401


def test_another_password_ends_every_other_session(works: GuardedWorks) -> None:
    first, second = works.signed_in("Ines"), works.browser()
    second.sign_in("Ines")
    fields = {"password": PASSWORD, "new": "nine short blue ropes", "again": "nine short blue ropes"}

    answer = first.form("/account/password", {**fields, "csrf": first.csrf()})

    assert answer.status == 303
    assert second.get("/api/v1/me").status == 401
    assert first.get("/api/v1/me").status == 200
    assert works.browser().sign_in("Ines").status == 401
    assert works.browser().sign_in("Ines", "nine short blue ropes").status == 303


def test_another_password_needs_the_present_one(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    fields = {"password": "wrong", "new": "nine short blue ropes", "again": "nine short blue ropes"}

    assert browser.form("/account/password", {**fields, "csrf": browser.csrf()}).status == 403
    assert works.browser().sign_in("Ines").status == 303


def test_another_role_and_another_reach_count_in_sessions_that_last(works: GuardedWorks) -> None:
    works.signed_in("Ada")
    browser = works.signed_in("Ines", Role.ENGINEER)
    number = works.alert("hidden-77").number
    assert browser.get(f"/api/v1/alerts/{number}").status == 200
    with works.room.state.write() as connection:
        users.give(connection, users.named(connection, "Ines"), role=Role.VIEWER, reach=LINE_1)

    works.now += timedelta(seconds=3)

    assert browser.get(f"/api/v1/alerts/{number}").status == 404
    assert browser.get("/api/v1/me").response.json()["rights"] == ["read"]


def test_who_is_disabled_is_out_at_once_with_sessions_links_and_keys(works: GuardedWorks) -> None:
    admin, browser = works.signed_in("Ada"), works.signed_in("Ines", Role.ENGINEER)
    made = browser.form("/account/keys", {"csrf": browser.csrf(), "name": "own", "right-read": "yes"})
    secret = made.text.partition("<pre>")[2].partition("</pre>")[0]
    key = works.browser(headers={"Authorization": f"Bearer {secret}"})
    assert key.get("/api/v1/me").response.json()["name"] == "Ines (own)"
    token = {"X-CSRF-Token": admin.csrf()}
    link = admin.ask("POST", "/api/v1/users/2/link", headers=token).response.json()["link"]

    answer = admin.ask("PATCH", "/api/v1/users/2", json={"enabled": False}, headers=token)

    assert answer.status == 200, answer.text
    assert browser.get("/api/v1/me").status == key.get("/api/v1/me").status == 401
    assert works.browser().look(link.removeprefix("https://testserver")).status == 404
    assert works.browser().sign_in("Ines").status == 401


def test_the_last_admin_of_the_whole_plant_stays_one(works: GuardedWorks) -> None:
    admin = works.signed_in("Ada")

    for change in ({"enabled": False}, {"role": "viewer"}, {"reach": ["line:Line 1"]}):
        answer = admin.ask("PATCH", "/api/v1/users/1", json=change, headers={"X-CSRF-Token": admin.csrf()})
        assert answer.status == 422, change
        assert "make somebody else an admin" in answer.response.json()["detail"]


def test_no_form_of_a_session_is_taken_without_its_token(works: GuardedWorks) -> None:
    browser, other = works.signed_in("Ines"), works.signed_in("Olaf")
    number = works.alert(OWN).number
    things = {"{number}": str(number), "{job}": "score", "{key}": "1", "{user}": "1"}
    paths = [
        re.sub("|".join(map(re.escape, things)), lambda found: things[found[0]], name.partition(" ")[2])
        for name, rule in POLICY.items()
        if name.startswith("POST /") and not name.startswith("POST /api/") and rule.needs is not Needs.NOTHING
    ]
    assert len(paths) > 12
    for path in paths:
        for token in ("", "0" * 64, other.csrf()):
            assert browser.form(path, {"csrf": token, "by": "Ines", "text": "x"}).status == 403, path
    assert browser.get(f"/api/v1/alerts/{number}").response.json()["state"] == "unacknowledged"


def test_every_form_of_every_page_holds_the_token(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    number, token = works.alert(OWN).number, browser.csrf()
    forms = 0
    for path in ("/", f"/alerts/{number}", "/jobs", "/account", "/users", "/users/1"):
        text = browser.look(path).text
        posted = text.count('method="post"')
        forms += posted
        assert posted == text.count(f'<input type="hidden" name="csrf" value="{token}">') > 0
    assert forms > 10


def test_a_change_with_a_cookie_alone_is_refused_in_the_interface_for_programs(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    path = f"/api/v1/alerts/{works.alert(OWN).number}/acknowledge"

    assert browser.ask("POST", path, json={"by": "x"}).status == 403
    assert browser.ask("POST", path, json={"by": "x"}, headers={"X-CSRF-Token": browser.csrf()}).status == 200


def test_whoever_is_signed_in_is_who_acknowledges_whatever_is_said(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    first, second = works.alert(OWN).number, works.alert(OWN, cause="seal").number
    token = browser.csrf()

    said = browser.ask(
        "POST", f"/api/v1/alerts/{first}/acknowledge", json={"by": "Olaf"}, headers={"X-CSRF-Token": token}
    )
    unsaid = browser.ask("POST", f"/api/v1/alerts/{first}/comment", json={"text": "x"}, headers={"X-CSRF-Token": token})
    browser.form(f"/alerts/{second}/acknowledge", {"by": "Olaf", "csrf": token})

    assert said.response.json()["acknowledged_by"] == "Ines"
    assert unsaid.response.json()["history"][-1]["by"] == "Ines"
    assert browser.get(f"/api/v1/alerts/{second}").response.json()["acknowledged_by"] == "Ines"


def test_after_some_wrong_passwords_the_right_one_has_to_wait_too(works: GuardedWorks) -> None:
    works.user("Ines")
    browser = works.browser()
    for _ in range(FREE["name"]):
        assert browser.sign_in("Ines", "wrong").status == 401

    refused = browser.sign_in("Ines")

    assert refused.status == 429
    assert int(refused.response.headers["retry-after"]) >= 1
    works.now += timedelta(seconds=2)
    assert browser.sign_in("Ines").status == 303
    with works.room.state.read() as connection:
        left = {row.subject for row in connection.execute(select(try_table))}
    assert "name:ines" not in left


def test_many_names_from_one_address_have_to_wait(works: GuardedWorks) -> None:
    works.user("Ines")
    answers = [works.browser().sign_in(f"name {each}", "wrong").status for each in range(FREE["address"] + 1)]

    assert answers == [401] * FREE["address"] + [429]


def test_nothing_tells_which_names_there_are(works: GuardedWorks) -> None:
    works.user("Ines")
    disabled = works.user("Olaf", Role.VIEWER)
    with works.room.state.write() as connection:
        users.add(connection, "Nora", role=Role.VIEWER, reach=LINE_1, at=works.now)
        users.disable(connection, disabled, at=works.now)
        users.set_totp(connection, users.named(connection, "Ines"), totp.new_secret())

    pages = {
        works.browser().sign_in(name, password).text
        for name, password in (("Ines", "wrong"), ("Ines", PASSWORD), ("Olaf", PASSWORD), ("Nora", ""), ("Zoe", "x"))
    }

    assert len(pages) == 1
    assert "Name, password or code is wrong" in pages.pop()


def test_a_second_factor_is_asked_for_once_it_is_set_and_no_code_is_taken_twice(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    secret = totp.new_secret()
    fields = {"csrf": browser.csrf(), "password": PASSWORD, "secret": secret}
    assert browser.form("/account/second-factor", {**fields, "code": "000000"}).status == 422
    assert browser.form("/account/second-factor", {**fields, "code": code_of(secret, works)}).status == 303

    assert works.browser().sign_in("Ines").status == 401
    assert works.browser().sign_in("Ines", code=code_of(secret, works)).status == 401  # used to set it
    works.now += timedelta(seconds=30)
    code = code_of(secret, works)
    assert works.browser().sign_in("Ines", code=f"{code[:3]} {code[3:]}").status == 303
    assert works.browser().sign_in("Ines", code=code).status == 401


def test_a_link_sets_a_password_once_and_signs_in(works: GuardedWorks) -> None:
    user = works.user("Ines", password="")
    old = works.link(user)
    link = works.link(user)
    fields = {"password": PASSWORD, "again": PASSWORD}

    assert works.browser().look(f"/set-password?link={old}").status == 404  # only the newest opens
    assert works.browser().look(f"/set-password?link={link}").status == 200
    assert works.browser().look(f"/set-password?link={link}").status == 200  # looking does not use it up
    first = works.browser()
    assert first.form("/set-password", {**fields, "link": link}).status == 303
    assert first.get("/api/v1/me").response.json()["name"] == "Ines"
    assert works.browser().form("/set-password", {**fields, "link": link}).status == 404
    with works.room.state.read() as connection:
        assert link not in str(connection.execute(select(link_table)).all())


def test_a_link_is_over_after_a_day(works: GuardedWorks) -> None:
    link = works.link(works.user("Ines"))

    works.now += timedelta(days=1)

    fields = {"password": PASSWORD, "again": PASSWORD, "link": link}
    assert works.browser().form("/set-password", fields).status == 404


@pytest.mark.parametrize(
    ("password", "why"), [("short", "12 to 256"), ("x" * 257, "12 to 256"), ("ines ines ines", "guessed")]
)
def test_a_password_that_is_easily_guessed_is_refused_and_the_link_still_opens(
    works: GuardedWorks, password: str, why: str
) -> None:
    link = works.link(works.user("Ines", password=""))

    answer = works.browser().form("/set-password", {"password": password, "again": password, "link": link})

    assert answer.status == 422
    assert why in answer.text
    assert works.browser().look(f"/set-password?link={link}").status == 200


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(works: GuardedWorks) -> None:
    works.user("Ines")

    answer = works.browser().look("/alerts?before=7")

    assert answer.status == 303
    assert answer.response.headers["location"] == "/sign-in?next=%2Falerts%3Fbefore%3D7"
    assert works.browser().get("/api/v1/plant").response.headers["www-authenticate"] == 'Bearer realm="andon"'


def test_the_pages_of_access_need_no_script_and_keep_the_policy(works: GuardedWorks) -> None:
    browser = works.signed_in("Ines")
    link = works.link(works.user("Olaf"))

    for path, who in (
        ("/sign-in", works.browser()),
        (f"/set-password?link={link}", works.browser()),
        ("/account", browser),
    ):
        answer = who.look(path)
        assert answer.status == 200
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert answer.response.headers["cache-control"] == "no-store"


def test_whoever_reaches_a_part_is_not_led_to_what_is_of_the_whole_plant(works: GuardedWorks) -> None:
    narrow = works.signed_in("Ines", Role.VIEWER, LINE_1)

    page = narrow.look("/").text

    assert 'href="/jobs"' not in page
    assert 'href="/alerts"' in page


def test_a_clock_that_was_put_back_keeps_nobody_out(works: GuardedWorks) -> None:
    works.user("Ada")
    works.browser().sign_in("Ada", "wrong")
    works.browser(headers={"Authorization": "Bearer andon_none"}).get("/api/v1/me")
    program = works.browser(headers={"Authorization": f"Bearer {works.key(Right.READ)}"})
    assert program.get("/api/v1/me").status == 200

    works.now -= timedelta(hours=30)

    assert program.get("/api/v1/me").status == 200
    assert works.browser().sign_in("Ada").status == 303


def test_a_clock_that_was_put_back_lets_nobody_in_for_longer(works: GuardedWorks) -> None:
    works.user("Ada")
    program = works.browser(headers={"Authorization": f"Bearer {works.key(Right.READ)}"})
    assert program.get("/api/v1/me").status == 200
    with works.room.state.write() as connection:
        keys.revoke(connection, keys.show(connection, 1), at=works.now)

    works.now -= timedelta(hours=30)

    assert program.get("/api/v1/me").status == 401
