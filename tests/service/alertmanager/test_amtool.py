"""The real amtool works against Andon as it is."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.plant import Plant
from models.finding import Finding
from service.access import keys, users
from service.access.reach import EVERYTHING
from service.access.role import Right, Role
from service.alerts import book, mutes
from service.alerts.labels import places_of
from service.alerts.mute import MuteKind
from service.audit.record import Subject
from service.audit.trail import Asked, list_records
from service.control_room import ControlRoom
from tests.alertmanager import PLANT, amtool, ask, running_andon

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass
class Desk:
    """Andon and amtool."""

    address: str
    room: ControlRoom
    home: Path

    def tool(self, *arguments: str, fails: bool = False) -> str:
        return amtool(self.address, *arguments, home=self.home, fails=fails)

    def listed(self, *arguments: str) -> Any:
        return json.loads(self.tool("-o", "json", *arguments))

    def raise_one(self, machine: str = "press-1", cause: str = "bearing") -> int:
        now = datetime.now(UTC)
        finding = Finding(
            machine=machine, kind="anomaly", cause=cause, model="a", version="1", begin=now, end=None, level=0.9,
            act_before=now, sentence=f"{machine} is strange",
        )  # fmt: skip
        with self.room.calling(now).write() as connection:
            places = places_of(self.room.plant, machine)
            return book.raise_alert(connection, finding, at=now, places=places)[0].number


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running_andon(tmp_path / "andon") as (address, room):
        yield Desk(address, room, tmp_path)


def test_a_silence_is_added_listed_changed_and_expired(desk: Desk) -> None:
    number = desk.raise_one()

    name = desk.tool("silence", "add", "-a", "Ines", "-c", "belt is ordered", "-d", "2h", "machine=press-1").strip()

    assert UUID.fullmatch(name)
    (shown,) = desk.listed("silence", "query", "machine=press-1")
    assert shown["createdBy"] == "Ines"
    assert shown["comment"] == "belt is ordered"
    assert shown["status"] == {"state": "active"}
    assert shown["matchers"] == [{"name": "machine", "value": "press-1", "isRegex": False, "isEqual": True}]
    with desk.room.state.read() as connection:
        (mute,) = book.find_muted(connection, number, datetime.now(UTC)).mutes
        assert (mute.kind, mute.by, mute.why, mute.uuid) == (MuteKind.SILENCED, "Ines", "belt is ordered", name)
        assert [each.happening for each in book.history(connection, number)] == ["raised", "silenced"]
    assert "press-1" not in desk.tool("alert", "query")
    assert desk.listed("alert", "query", "-s")[0]["status"]["silencedBy"] == [name]

    desk.tool("silence", "update", "-d", "3h", "-c", "it comes later", name)
    (changed,) = desk.listed("silence", "query")
    assert changed["id"] == name
    assert changed["comment"] == "it comes later"

    desk.tool("silence", "expire", name)
    assert desk.listed("silence", "query") == []
    assert [each["id"] for each in desk.listed("silence", "query", "--expired")] == [name]
    assert len(desk.listed("alert", "query")) == 1
    with desk.room.state.read() as connection:
        assert not mutes.list_mutes(connection, at=datetime.now(UTC))
        said = [(each.what, each.by) for each in list_records(connection, Asked(subject=Subject.MUTE))][::-1]
    assert said == [("silenced", "Ines"), ("silenced", "Ines"), ("silence over", "andon")]


def test_patterns_and_negations_reach_what_they_say(desk: Desk) -> None:
    desk.raise_one("press-1")
    desk.raise_one("press-2")
    desk.raise_one("press-2", "belt")

    desk.tool("silence", "add", "-c", "x", 'machine=~"press-[2-9]"', "cause!=belt", "alertname=anomaly")

    left = {(each["labels"]["machine"], each["labels"]["cause"]) for each in desk.listed("alert", "query")}
    assert left == {("press-1", "bearing"), ("press-2", "belt")}


def test_what_is_wrong_with_a_silence_is_said(desk: Desk) -> None:
    for arguments, said in (
        (["-d", "90d", "machine=press-1"], "a silence lasts 24 h at most"),
        (["machine=~.*"], "at least one matcher must not match the empty string"),
        (["machine=~((a{30}){30})"], "places with its repetitions written out"),
        (["machine=~" + "a" * 300], "200 characters at most"),
    ):
        assert said in desk.tool("silence", "add", "-c", "x", *arguments, fails=True)
    assert "status 404" in desk.tool("silence", "expire", "0aaaaaaa-1111-4222-8333-444444444444", fails=True)


def test_alerts_are_added_listed_and_over(desk: Desk) -> None:
    desk.tool("alert", "add", "Hot", "machine=press-1", "severity=critical", "--annotation=summary=Oil is at 90 °C")

    (shown,) = desk.listed("alert", "query", "Hot")
    assert shown["labels"] == {"alertname": "Hot", "machine": "press-1", "severity": "critical"}
    assert shown["receivers"] == [{"name": "shift"}]
    table = desk.tool("alert", "query", "machine=~press.*")
    assert "Hot" in table
    assert "Oil is at 90 °C" in table
    with desk.room.state.read() as connection:
        (alert,) = book.list_alerts(connection)
    assert (alert.machine, alert.kind, alert.sentence) == ("press-1", "external", "press-1: Oil is at 90 °C")

    now = datetime.now(UTC)
    begin, end = ((now - timedelta(seconds=each)).isoformat(timespec="milliseconds") for each in (0, 0))
    desk.tool("alert", "add", "Hot", "machine=press-1", "severity=critical", f"--start={begin}", f"--end={end}")

    assert desk.listed("alert", "query") == []
    with desk.room.state.read() as connection:
        assert [each.state.value for each in book.list_alerts(connection)] == ["returned-unacknowledged"]


def test_a_machine_that_there_is_not_is_named_with_the_nearest(desk: Desk) -> None:
    said = desk.tool("alert", "add", "Hot", "machine=pres-1", fails=True)

    assert "no machine 'pres-1'" in said
    assert "press-1" in said


def test_the_state_of_the_server_is_shown(desk: Desk) -> None:
    assert "disabled" in desk.tool("cluster", "show")
    assert "Andon watches Works" in desk.tool("config", "show")


def test_silences_are_exported_and_imported(desk: Desk, tmp_path: Path) -> None:
    desk.tool("silence", "add", "-a", "Ines", "-c", "x", "machine=press-1")
    (tmp_path / "silences.json").write_text(json.dumps(desk.listed("silence", "query")), encoding="utf-8")

    desk.tool("silence", "import", "--force", str(tmp_path / "silences.json"))

    assert [each["createdBy"] for each in desk.listed("silence", "query")] == ["Ines", "Ines"]


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_a_key_comes_from_the_file_of_amtool(desk: Desk, tmp_path: Path, scheme: str) -> None:
    now = datetime.now(UTC)
    with desk.room.state.write() as connection:
        users.add(connection, "Ada", role=Role.ADMIN, reach=EVERYTHING, at=now)
        wish = keys.Wish(name="tool", rights=(Right.READ, Right.ACT), reach=EVERYTHING)
        secret = keys.make(connection, wish, by="Ada", at=now)[1]
    settings = {
        "bearer": f"authorization: {{type: Bearer, credentials: {secret}}}\n",
        "basic": f"basic_auth: {{username: amtool, password: {secret}}}\n",
    }
    (tmp_path / "http.yml").write_text(settings[scheme], encoding="utf-8")
    with_key = f"--http.config.file={tmp_path / 'http.yml'}"
    assert ask(desk.address, "GET", "/alerts")[0] == 401

    name = desk.tool(with_key, "silence", "add", "-a", "Mallory", "-c", "x", "machine=press-1").strip()
    refused = desk.tool(with_key, "alert", "add", "Hot", "machine=press-1", fails=True)

    (shown,) = json.loads(desk.tool(with_key, "-o", "json", "silence", "query"))
    assert (shown["id"], shown["createdBy"]) == (name, "tool (key)")
    assert "status 403" in refused


def test_a_plant_without_routes_answers_all_the_same(tmp_path: Path) -> None:
    plant = Plant.model_validate({**PLANT, "routes": [], "targets": []})
    with running_andon(tmp_path / "andon", plant) as (address, room):
        desk = Desk(address, room, tmp_path)
        desk.tool("alert", "add", "Hot", "machine=press-1")

        (shown,) = desk.listed("alert", "query")

        assert shown["receivers"] == []
        assert ask(address, "GET", "/alerts/groups") == (200, [])
