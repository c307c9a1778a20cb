"""The pages of people and keys: plain forms by which an admin lets people and programs in, and keeps them out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from service.access import keys, users
from service.access.role import Right, Role
from service.audit.tables import audit_table
from tests.service.guarded_works import LINE_1, PASSWORD, Browser, GuardedWorks, open_guarded
from tests.service.test_dashboard import Tags

PAGE = {"Accept": "text/html"}


@pytest.fixture
def works(tmp_path: Path) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path)


@pytest.fixture
def admin(works: GuardedWorks) -> Browser:
    return works.signed_in("Ada")


def send(who: Browser, path: str, **fields: str) -> str:
    """Send a form as the page has it, with its token; return where it leads, or what it shows."""
    data = {"csrf": who.look("/users").csrf, **fields}
    answer = who.ask("POST", path, data=data, headers={"Sec-Fetch-Site": "same-origin", **PAGE})
    if answer.status == 303:
        return str(answer.response.headers["location"])
    return f"{answer.status} {answer.text}"


def named(works: GuardedWorks, name: str) -> users.User:
    with works.room.state.read() as connection:
        return users.named(connection, name)


def test_somebody_is_invited_and_comes_in_by_the_link(works: GuardedWorks, admin: Browser) -> None:
    shown = send(admin, "/users", name="Ben", role="operator", reach="parts", parts="line:Line 1\n")

    link = re.search(r"/set-password\?link=([\w-]+)", shown)
    assert link is not None
    ben = named(works, "Ben")
    assert (ben.role, ben.reach) == (Role.OPERATOR, LINE_1)
    assert "link=" not in admin.look(f"/users/{ben.id}").text
    browser = works.browser()
    assert browser.form("/set-password", {"link": link[1], "password": PASSWORD, "again": PASSWORD}).status == 303
    assert browser.get("/api/v1/me").response.json()["name"] == "Ben"


def test_role_and_reach_are_changed_from_the_next_request_on(works: GuardedWorks, admin: Browser) -> None:
    ben = works.signed_in("Ben", Role.VIEWER, LINE_1)
    number = named(works, "Ben").id
    assert ben.look("/jobs").status == 404

    assert send(admin, f"/users/{number}/access", role="engineer", reach="whole", parts="") == f"/users/{number}"

    assert ben.look("/jobs").status == 200
    assert named(works, "Ben").role is Role.ENGINEER


def test_who_is_kept_out_is_out_at_once_and_comes_back(works: GuardedWorks, admin: Browser) -> None:
    ben = works.signed_in("Ben", Role.VIEWER)
    number = named(works, "Ben").id

    send(admin, f"/users/{number}/enabled", enabled="no")
    assert ben.get("/api/v1/me").status == 401
    assert "may not sign in" in admin.look(f"/users/{number}").text
    send(admin, f"/users/{number}/enabled", enabled="yes")

    assert works.browser().sign_in("Ben").status == 303


def test_a_forgotten_password_is_set_anew_by_a_link(works: GuardedWorks, admin: Browser) -> None:
    works.user("Ben", Role.VIEWER)

    shown = send(admin, f"/users/{named(works, 'Ben').id}/link")

    link = re.search(r"link=([\w-]+)", shown)
    assert link is not None
    password = "nine small blue boats"  # noqa: S105 - of a test
    works.browser().form("/set-password", {"link": link[1], "password": password, "again": password})
    assert works.browser().sign_in("Ben", password).status == 303


def test_sessions_are_ended_of_others_all_and_of_oneself_all_but_this_one(works: GuardedWorks, admin: Browser) -> None:
    ben, second = works.signed_in("Ben", Role.VIEWER), works.browser()
    second.sign_in("Ada")

    send(admin, f"/users/{named(works, 'Ben').id}/sessions/end")
    send(admin, f"/users/{named(works, 'Ada').id}/sessions/end")

    assert ben.get("/api/v1/me").status == 401
    assert second.get("/api/v1/me").status == 401
    assert admin.get("/api/v1/me").status == 200
    with works.room.state.read() as connection:
        ended = connection.execute(select(audit_table.c.name).where(audit_table.c.what == "sessions ended")).scalars()
        assert list(ended) == ["Ben", "Ada"]


def test_a_key_of_the_plant_is_shown_once_replaced_and_revoked(works: GuardedWorks, admin: Browser) -> None:
    fields = {"name": "gateway", "right-send": "yes", "reach": "parts", "parts": "line:Line 1", "lasting": "30 d"}
    shown = send(admin, "/keys", **fields)

    secret = re.search(r"<pre>(andon_[\w-]+)</pre>", shown)
    assert secret is not None
    assert secret[1] not in admin.look("/users").text
    with works.room.state.read() as connection:
        (key,) = keys.list_keys(connection)
    assert (key.rights, key.reach, key.account) == ({Right.SEND}, LINE_1, None)
    assert "<pre>andon_" in send(admin, f"/keys/{key.id}/rotate")
    assert send(admin, f"/keys/{key.id}/revoke") == "/users"
    old = works.browser(headers={"Authorization": f"Bearer {secret[1]}"})
    assert old.get("/api/v1/me").status == 401


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        ("/users", {"name": "Ben", "reach": "whole"}, "choose a role"),
        ("/users", {"name": "", "role": "viewer", "reach": "whole"}, "name"),
        ("/users", {"name": "Ben", "role": "viewer"}, "choose the whole plant"),
        ("/users", {"name": "Ben", "role": "viewer", "reach": "parts", "parts": " \n"}, "at least one part"),
        ("/users", {"name": "Ben", "role": "viewer", "reach": "parts", "parts": "line:Lime 1"}, "Line 1"),
        ("/users", {"name": "ADA", "role": "viewer", "reach": "whole"}, "already"),
        ("/users/1/access", {"role": "viewer", "reach": "whole"}, "nobody could manage users any more"),
        ("/users/1/enabled", {"enabled": "perhaps"}, "said by"),
        ("/users/99/link", {}, "no user 99"),
        ("/keys", {"name": "k", "reach": "whole"}, "rights"),
        ("/keys", {"name": "k", "right-manage": "yes", "reach": "whole"}, "a key has some of these rights"),
        ("/keys", {"name": "k", "right-read": "yes", "reach": "whole", "lasting": "soon"}, "lasting"),
    ],
    ids=lambda part: str(part)[:60],
)
def test_what_cannot_be_is_a_page_that_says_so(admin: Browser, path: str, fields: dict[str, str], says: str) -> None:
    shown = send(admin, path, **fields)

    assert shown[:3] in ("404", "422"), shown
    assert "<h1>" in shown
    assert says in shown


@pytest.mark.parametrize("path", ["/users", "/users/1/access", "/users/1/sessions/end", "/keys"])
def test_a_form_without_its_token_changes_nothing(works: GuardedWorks, admin: Browser, path: str) -> None:
    fields = {"name": "Eve", "role": "viewer", "reach": "whole", "right-read": "yes"}

    assert admin.form(path, fields).status == 403
    assert admin.form(path, fields | {"csrf": "0" * 64}).status == 403

    with works.room.state.read() as connection:
        assert [each.name for each in users.list_users(connection)] == ["Ada"]
        assert keys.list_keys(connection) == []


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.ADMIN])
def test_only_admins_see_the_pages_and_the_link_to_them(works: GuardedWorks, role: Role) -> None:
    who = works.signed_in("Ben", role)

    assert who.look("/users").status == 403
    assert 'href="/users"' not in who.look("/").text


def test_an_admin_of_a_part_sees_neither_people_nor_keys(works: GuardedWorks) -> None:
    who = works.signed_in("Ben", Role.ADMIN, LINE_1)

    assert who.look("/users").status == 404
    assert 'href="/users"' not in who.look("/").text


def test_the_pages_are_well_formed_each_field_has_a_name_and_hostile_ones_are_text(
    works: GuardedWorks, admin: Browser
) -> None:
    send(admin, "/users", name="<script>alert(1)</script>", role="viewer", reach="whole")
    works.key(Right.READ, name="<img src=x>")

    for path in ("/users", "/users/1", "/users/2"):
        text = admin.look(path).text
        tags = Tags(text)
        assert tags.open == []
        assert "<script>alert" not in text
        assert "<img" not in text
        labels = {each.get("for") for tag, each in tags.tags if tag == "label"}
        for tag, each in tags.tags:
            if tag in ("input", "textarea", "select") and each.get("type") not in ("hidden", "radio", "checkbox"):
                assert each["id"] in labels, each
    assert 'href="/users"' in admin.look("/").text


def test_nobody_else_gets_a_key_that_is_somebodys_own(works: GuardedWorks, admin: Browser) -> None:
    vera = works.user("Vera", Role.OPERATOR)
    works.key(Right.READ, name="notebook", account=vera.id)

    assert send(admin, "/keys/1/rotate").startswith("422 ")
    by_program = admin.ask("POST", "/api/v1/keys/1/rotate", headers={"X-CSRF-Token": admin.csrf()})

    assert by_program.status == 422
    assert "somebody's own" in by_program.text
    with works.room.state.read() as connection:
        assert len(keys.list_keys(connection)) == 1
    assert send(admin, "/keys/1/revoke") == f"/users/{vera.id}"
