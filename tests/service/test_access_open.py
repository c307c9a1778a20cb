"""Before there is a user: open on this computer, closed to the network unless somebody says otherwise."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from ingest.errors import AccessError
from service.access.role import Right
from service.app import create_app
from service.cli.main import andon
from service.cli.serve import who_comes_in
from tests.service.guarded_works import OWN, PASSWORD, GuardedWorks, open_guarded

PLANT = """
name = "Works"
[[classes]]
name = "press"
signals = [{ name = "temperature" }]
[[machines]]
name = "press-1"
class = "press"
line = "Line 1"
"""


@pytest.fixture
def works(tmp_path: Path) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "plant.toml").write_text(PLANT)
    return tmp_path / "plant.toml"


def call(plant: Path, *arguments: str) -> Any:
    return CliRunner().invoke(andon, ["--plant", str(plant), *arguments], obj=None)


def told(plant: Path, *arguments: str) -> Any:
    result = call(plant, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_without_a_user_everybody_may_do_everything_but_make_users(works: GuardedWorks) -> None:
    anybody = works.browser()

    me = anybody.get("/api/v1/me").response.json()

    assert (me["by"], me["name"], me["reach"]) == ("open", "", None)
    assert me["rights"] == [each.value for each in Right if each is not Right.MANAGE]
    answer = anybody.ask("POST", "/api/v1/users", json={"name": "x", "role": "admin", "reach": ["whole plant"]})
    assert answer.status == 403
    assert "andon users first" in answer.response.json()["detail"]
    assert "nobody has to sign in" in anybody.look("/").text


def test_from_the_first_user_on_nobody_comes_in_unasked(works: GuardedWorks) -> None:
    assert works.browser().get("/api/v1/plant").status == 200

    works.user("Ines")

    assert works.browser().get("/api/v1/plant").status == 401
    assert works.browser().get("/healthz").status == works.browser().get("/static/andon.css").status == 200


def test_a_user_that_another_process_made_closes_the_door_within_two_seconds(works: GuardedWorks) -> None:
    assert works.browser().get("/api/v1/plant").status == 200
    keep = works.refresh
    works.refresh = lambda: None  # type: ignore[method-assign]
    works.user("Ines")
    works.refresh = keep  # type: ignore[method-assign]

    works.now += timedelta(seconds=2)

    assert works.browser().get("/api/v1/plant").status == 401


def test_it_never_opens_again_once_everybody_is_disabled(works: GuardedWorks) -> None:
    works.user("Ines")
    with works.room.state.write() as connection:
        connection.exec_driver_sql("UPDATE account SET disabled = 1")
    works.refresh()

    assert works.browser().get("/api/v1/plant").status == 401


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_computer_alone_it_starts_open_and_says_so(works: GuardedWorks, host: str) -> None:
    room = replace(works.room, settings=replace(works.room.settings, host=host))

    assert who_comes_in(room).startswith("Open: there is no user")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "andon.example"])  # noqa: S104
def test_to_the_network_it_does_not_start_open_unless_that_is_meant(works: GuardedWorks, host: str) -> None:
    room = replace(works.room, settings=replace(works.room.settings, host=host))

    with pytest.raises(AccessError, match=r"andon users first.*127\.0\.0\.1.*ANDON_OPEN=yes"):
        who_comes_in(room)
    meant = replace(room, settings=replace(room.settings, open=True))
    assert who_comes_in(meant).startswith("OPEN TO THE NETWORK")


def test_with_a_user_it_starts_anywhere(works: GuardedWorks) -> None:
    works.user("Ines")
    room = replace(works.room, settings=replace(works.room.settings, host="0.0.0.0"))  # noqa: S104

    assert who_comes_in(room) == "People sign in; programs show a key."


def test_serve_refuses_before_it_listens(plant: Path) -> None:
    result = call(plant, "serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104

    assert isinstance(result.exception, AccessError)
    assert "andon users first" in str(result.exception)


def test_the_first_admin_comes_in_by_a_link_that_is_printed_once(plant: Path) -> None:
    first = told(plant, "users", "first", "Ada", "--at", "https://andon.example")

    assert first["link"].startswith("https://andon.example/set-password?link=")
    again = call(plant, "users", "first")
    assert isinstance(again.exception, AccessError)
    assert "there are users already" in str(again.exception)
    assert told(plant, "users", "list")["users"][0] == {
        "name": "Ada",
        "role": "admin",
        "reach": "whole plant",
        "second_factor": False,
        "has_password": False,
        "single_sign_on": "no",
        "disabled": None,
    }


def test_what_the_command_line_makes_opens_the_running_application(plant: Path) -> None:
    from service.cli.call import wall_clock
    from service.control_room import open_control_room
    from service.settings import Settings

    link = told(plant, "users", "first", "Ada")["link"].partition("?link=")[2]
    told(plant, "users", "add", "Vera", "viewer", "--reach", "line:Line 1")
    key = told(plant, "keys", "new", "gateway", "--right", "read")["secret"]
    settings = Settings(plant=plant, jobs=False, hosts=("testserver",))
    app = create_app(settings, clock=wall_clock, open_room=open_control_room)
    with TestClient(app, base_url="https://testserver", headers={"Accept": "application/json"}) as client:
        assert client.get("/api/v1/plant").status_code == 401
        bearer = {"Authorization": f"Bearer {key}"}
        assert client.get("/api/v1/plant", headers=bearer).status_code == 200
        fields = {"link": link, "password": PASSWORD, "again": PASSWORD}
        form = {"Sec-Fetch-Site": "same-origin"}
        answer = client.post("/set-password", data=fields, headers=form, follow_redirects=False)
        assert answer.status_code == 303
        assert [each["name"] for each in client.get("/api/v1/users").json()["items"]] == ["Ada", "Vera"]


def test_each_command_of_users_and_keys_does_what_it_says(plant: Path) -> None:
    told(plant, "users", "first", "Ada")
    told(plant, "users", "add", "Vera", "viewer")
    assert told(plant, "users", "role", "Vera", "engineer")["user"]["role"] == "engineer"
    assert told(plant, "users", "reach", "Vera", "machine:press-1")["user"]["reach"] == "machine press-1"
    assert told(plant, "users", "disable", "Vera")["user"]["disabled"] is not None
    assert told(plant, "users", "enable", "vera")["user"]["disabled"] is None
    assert "link=" in told(plant, "users", "reset-link", "Vera")["link"]
    made = told(plant, "keys", "new", "MES", "--right", "send", "--right", "tell", "--reach", "line:Line 1")
    rotated = told(plant, "keys", "rotate", "1", "--overlap", "1 h")
    assert made["secret"] != rotated["secret"]
    assert rotated["key"]["rights"] == ["send", "tell"]
    assert told(plant, "keys", "revoke", "1")["key"]["revoked"] is not None
    assert [each["id"] for each in told(plant, "keys", "list")["keys"]] == [2]
    assert [each["id"] for each in told(plant, "keys", "list", "--all")["keys"]] == [2, 1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["users", "add", "Vera", "viewer", "--reach", "line:Line 7"], "no line 'Line 7'"),
        (["users", "add", "Vera", "viewer", "--reach", "Line 1"], "no part of a plant"),
        (["users", "add", "ANDON", "viewer"], "the product itself"),
        (["users", "role", "Nobody", "viewer"], "no user 'Nobody'"),
        (["users", "disable", "Ada"], "make somebody else an admin"),
        (["users", "add", "ada", "viewer"], "there is a user"),
        (["keys", "revoke", "7"], "no key 7"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(plant: Path, arguments: list[str], why: str) -> None:
    told(plant, "users", "first", "Ada")

    assert why in str(call(plant, *arguments).exception)


def test_an_unknown_machine_of_the_plant_is_still_sent_to_openly(works: GuardedWorks) -> None:
    row = [{"machine": OWN, "time": "2026-05-03T03:00:00Z", "temperature": 20.5}]

    assert works.browser().ask("POST", "/api/v1/readings", json=row).status == 200
