"""What was answered with 200 is there: after kills, from many at once, in either database."""

import http.client
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.alerts import book
from service.alerts.external.posted import posted
from service.alerts.external.take import end_overdue, take
from service.alerts.matcher import Matcher
from service.alerts.silence import Wish, silence
from tests.alertmanager import ask, running_andon
from tests.service.called_plant import HOUR, MINUTE, called, plant_of
from tests.trials.killed_server import Server

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "force" }]
[[machines]]
name = "press-1"
class = "press"
"""


@dataclass
class Poster:
    """Posts new alerts one after the other, and remembers those that were answered with 200."""

    server: Server
    kept: list[str] = field(default_factory=list)
    sent: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        while not self.stopping.is_set():
            self.server.up.wait(1)
            name, self.sent = f"A{self.sent}", self.sent + 1
            body = json.dumps([{"labels": {"alertname": name, "machine": "press-1"}, "endsAt": until}])
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)) as connection:
                    connection.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
                    if connection.getresponse().status == 200:
                        self.kept.append(name)
            except (OSError, http.client.HTTPException):
                continue


@pytest.mark.slow
def test_a_server_that_is_killed_often_has_every_alert_that_it_took_once(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(PLANT, encoding="utf-8")
    draw = random.Random(52)  # noqa: S311 – the same ones each time
    server = Server(tmp_path)
    server.start()
    poster = Poster(server)
    thread = threading.Thread(target=poster.run)
    thread.start()
    try:
        for _ in range(2):
            time.sleep(draw.uniform(0.2, 0.8))
            server.kill()
            server.start()
        time.sleep(0.3)
    finally:
        poster.stopping.set()
        thread.join(20)
    try:
        listed = [each["labels"]["alertname"] for each in json.loads(server.get("/api/v2/alerts"))]
    finally:
        server.kill()

    assert len(poster.kept) > 10
    assert set(poster.kept) <= set(listed)
    assert len(listed) == len(set(listed))


def test_a_hundred_posts_at_once_of_one_alert_are_one(tmp_path: Path) -> None:
    with running_andon(tmp_path / "andon") as (address, room):
        alert = {"labels": {"alertname": "Hot", "machine": "press-1"}}
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda _: ask(address, "POST", "/alerts", [alert])[0], range(100)))
        with room.state.read() as connection:
            alerts = book.list_alerts(connection)
            lines = book.history(connection, alerts[0].number)

    assert set(statuses) == {200}
    assert len(alerts) == 1
    assert [each.happening.value for each in lines] == ["raised"]


def test_posts_and_silences_live_the_same_in_either_database(tmp_path: Path, database: str) -> None:
    world = called(tmp_path, plant_of([]), database)
    with closing(world.state):
        for step, end in ((0, HOUR), (1, HOUR), (2, timedelta(0)), (3, 2 * MINUTE)):
            now = world.now + step * MINUTE
            each = posted(
                {"alertname": "Hot", "machine": "press-0"}, {"summary": str(step)}, starts_at=now - MINUTE,
                ends_at=now + end, generator_url="", plant=world.plant, now=now,
            )  # fmt: skip
            with world.calling.write() as connection:
                take(connection, [each], by="x", at=now)
        with world.calling.write() as connection:
            wish = Wish(
                matchers=(Matcher(name="machine", value="press-.", is_regex=True),),
                since=now, until=now + HOUR, by="Ines", why="known",
            )  # fmt: skip
            silence(connection, wish, at=now, longest=HOUR)
        world.now = now + 2 * MINUTE
        with world.calling.write() as connection:
            assert end_overdue(connection, world.now) == 1
            lines = [each.happening.value for each in book.history(connection, 1)]
        assert world.show(1).visibility.value == "silenced"
        assert world.show(1).sentence == "press-0: 3"
    assert lines == ["raised", "condition over", "condition back", "silenced", "condition over"]


def test_a_large_post_is_taken_whole_and_one_that_is_too_large_not_at_all(works: Any) -> None:
    several = [{"labels": {"alertname": "Hot", "device": str(each)}} for each in range(600)]
    assert works.client.post("/api/v2/alerts", json=several).status_code == 200
    assert len(works.get("/api/v2/alerts")) == 600

    answer = works.client.post("/api/v2/alerts", json=[{"labels": {"alertname": str(each)}} for each in range(5001)])

    assert (answer.status_code, answer.json()) == (
        400,
        "5001 alerts in one post; 5000 are taken at most, send several",
    )
    assert len(works.get("/api/v2/alerts")) == 600


@pytest.mark.parametrize(
    "body",
    ["", "[", "{}", "[1]", "null", '[{"labels": []}]', '[{"labels": {"a": null}}]', '[{"labels": {"a": "\\ud800"}}]',
     '[{"labels": {"a": "b"}, "startsAt": 1e400}]', '[{"labels": {"a": "b"}, "endsAt": "9999-12-31T23:59:59Z"}]',
     '[{"labels": {"a": "b"}, "startsAt": "2026-01-01T00:00:00"}]', "[" * 10_000],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_with_a_text(works: Any, body: str) -> None:
    answer = works.client.post("/api/v2/alerts", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json(), str)
    assert works.get("/api/v2/alerts") == []


def test_what_it_does_not_know_of_an_alert_is_left_out(works: Any) -> None:
    sent = [{"labels": {"a": "b"}, "status": "firing", "fingerprint": "x", "endsAt": "0001-01-01T00:00:00Z"}]

    assert works.client.post("/api/v2/alerts", json=sent).status_code == 200
    assert works.get("/api/v2/alerts")[0]["labels"] == {"a": "b"}
