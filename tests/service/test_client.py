"""The client: its page runs, it tries again only where nothing can count twice, and says what the server said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ingest.errors import SettingError, SourceError
from ingest.store import Store
from models.registry.registry import Registry
from service.access.reach import Reach
from service.access.role import Right
from service.app import create_app
from service.client import Andon, RemoteError
from service.control_room import ControlRoom
from service.settings import Settings
from tests.page import blocks
from tests.ready_state import open_state
from tests.running_app import running_app
from tests.service.conftest import Works, small_plant
from tests.service.guarded_works import OTHER, OWN, GuardedWorks, two_lines

TIME = pd.date_range("2026-05-03 06:00", periods=5, freq="min", tz="Europe/Berlin")
FRAME = pd.DataFrame({"machine": "press-1", "time": TIME, "temperature": [60.0, 61.0, np.nan, 63.0, 64.0]})
PROBLEM = {"type": "/problems/unknown-name", "title": "t", "status": 404, "detail": "no machine 'x'"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Works, int]]:
    plant = small_plant(tmp_path)
    settings = Settings(jobs=False)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    works = Works(ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state))
    app = create_app(settings, clock=lambda: datetime(2026, 6, 1, tzinfo=UTC), open_room=lambda _: works.room)
    with running_app(app) as port:
        yield works, port


def test_every_example_of_the_page_runs(served: tuple[Works, int]) -> None:
    works, port = served
    works.alert("press-1")
    works.alert("press-2")
    names: dict[str, Any] = {}

    for block in blocks("client.md", "python"):
        exec(compile(block.replace(":8420", f":{port}"), "client.md", "exec"), names)  # noqa: S102 - our own page

    assert (names["receipt"].kept, names["receipt"].repeated) == (6_000, 0)
    assert names["again"].repeated == 1
    assert len(names["table"]) == 2_999  # (start, end]
    assert names["table"]["vibration"].iloc[0] == np.sin(1 / 50)
    assert str(names["table"].index.tz) == "UTC"
    assert len(names["thinned"]) <= 100
    assert names["thinned"]["vibration"].max() == names["table"]["vibration"].max()
    assert names["happened"]["note"].tolist() == ["seized"]
    assert "press-1" in names["machines"]["name"].tolist()
    assert names["closed"]["verdict"] == "right"
    assert names["refused"].status == 404
    assert "did you mean 'press-1'?" in str(names["refused"])


def test_pages_are_put_together(served: tuple[Works, int]) -> None:
    _, port = served
    andon = Andon(f"http://127.0.0.1:{port}")
    time = pd.date_range("2026-05-03", periods=45_000, freq="s", tz="UTC")
    values = np.random.default_rng(1).normal(0, 1, len(time))
    frame = pd.DataFrame(
        {"machine": "press-1", "time": time, "temperature": np.arange(45_000.0) % 200, "vibration": values}
    )
    frame.loc[100:200, "vibration"] = np.nan

    assert andon.send_readings(frame).kept == 90_000 - 101
    table = andon.readings("press-1", start="2026-05-02T00:00:00Z", end="2026-05-04T00:00:00Z")

    assert (
        len(list(andon.pages("/api/v1/readings", {"machine": "press-1", "start": "2026-05-02", "limit": 20_000}))) == 3
    )
    assert table["temperature"].tolist() == frame["temperature"].tolist()
    assert np.array_equal(table["vibration"].to_numpy(), frame["vibration"].to_numpy(), equal_nan=True)
    one = andon.readings("press-1", "vibration", start="2026-05-03T00:00:00Z", end="2026-05-03T00:01:00Z")
    assert (list(one.columns), len(one)) == (["vibration"], 60)
    newest = andon.machines().set_index("name")["newest_reading"]
    assert newest.dropna().tolist() == [time[-1]]


def test_a_key_does_what_it_may_where_it_reaches(tmp_path: Path) -> None:
    plant = two_lines(tmp_path)
    settings = Settings(jobs=False)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    works = GuardedWorks(ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state))
    app = create_app(settings, clock=lambda: works.now, open_room=lambda _: works.room)
    key = works.key(Right.READ, reach=Reach(("line:Line 1",)))
    with works.room.state.write() as connection:
        from service.access import users
        from service.access.reach import EVERYTHING
        from service.access.role import Role

        users.add(connection, "Ada", role=Role.ADMIN, reach=EVERYTHING, at=works.now)
    with running_app(app) as port:
        address = f"http://127.0.0.1:{port}"
        reader = Andon(address, key=key)
        assert OWN in reader.machines()["name"].tolist()
        assert OTHER not in reader.machines()["name"].tolist()
        with pytest.raises(RemoteError, match="needs the right 'send'") as refused:
            reader.send_readings(FRAME.assign(machine=OWN))
        assert refused.value.status == 403
        with pytest.raises(RemoteError, match="sign in, or send a key") as nobody:
            Andon(address).machines()
        assert nobody.value.status == 401


@dataclass
class Scripted:
    """A server that answers as it is told, in turn."""

    port: int = 0
    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    asked: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def andon(self, **options: Any) -> Andon:
        return Andon(f"http://127.0.0.1:{self.port}", sleep=self.slept.append, **options)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with answering() as found:
        yield found


@contextmanager
def answering() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.asked.append((self.command, self.path, self.headers.get("Idempotency-Key"), body))
            status, headers, document = script.answers.pop(0)
            if status == 0:
                self.close_connection = True
                return
            kind = "application/problem+json" if status >= 400 else "application/json"
            text = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": kind, "Content-Length": str(len(text))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


KEPT = {"accepted": 4, "repeated": False, "rejected": 0, "missing": 1, "errors": []}
LOST: tuple[int, dict[str, str], Any] = (0, {}, {})


def test_readings_are_sent_again_under_the_same_key_until_the_server_has_them(scripted: Scripted) -> None:
    scripted.answers = [(503, {"Retry-After": "7"}, PROBLEM), LOST, (200, {}, KEPT | {"repeated": True})]

    receipt = scripted.andon().send_readings(FRAME)

    assert (receipt.kept, receipt.repeated) == (4, 1)
    assert len(scripted.asked) == 3
    assert len({(key, body) for _, _, key, body in scripted.asked}) == 1
    assert scripted.asked[0][2]
    assert scripted.slept == [7.0, 1.0]


def test_what_deals_with_alerts_is_sent_once(scripted: Scripted) -> None:
    scripted.answers = [LOST]
    with pytest.raises(RemoteError, match="not known, look before you send it again"):
        scripted.andon().acknowledge(1, by="Ines")

    scripted.answers = [(503, {}, PROBLEM)]
    with pytest.raises(RemoteError, match="503"):
        scripted.andon().close(1, "right", by="Ines")
    assert len(scripted.asked) == 2
    assert scripted.slept == []


def test_it_gives_up_after_so_many_tries(scripted: Scripted) -> None:
    scripted.answers = [(503, {}, PROBLEM)] * 3

    with pytest.raises(RemoteError) as given_up:
        scripted.andon(tries=3).plant()

    assert given_up.value.status == 503
    assert len(scripted.asked) == 3


def test_a_refusal_is_not_sent_again_and_says_each_fault(scripted: Scripted) -> None:
    faults = [{"where": f"row {each}", "reason": "no machine 'x'"} for each in range(12)]
    scripted.answers = [(422, {}, PROBLEM | {"status": 422, "errors": faults})]

    with pytest.raises(RemoteError) as refused:
        scripted.andon().send_readings(FRAME)

    assert refused.value.kind == "/problems/unknown-name"
    assert len(refused.value.faults) == 12
    assert "row 9: no machine 'x'\n  and 2 more" in str(refused.value)
    assert len(scripted.asked) == 1


def test_what_is_no_andon_is_said_to_be_none(scripted: Scripted) -> None:
    scripted.answers = [(200, {"Content-Type": "text/html"}, b"<html>router</html>")]

    with pytest.raises(RemoteError, match="is it the right address"):
        scripted.andon().plant()


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (FRAME.drop(columns="machine"), "no column 'machine'"),
        (FRAME.assign(time=FRAME["time"].dt.tz_localize(None)), "not times with a zone"),
        (FRAME.assign(temperature="warm"), "not numbers"),
        (FRAME[["machine", "time"]], "no column besides"),
        (FRAME.assign(temperature=1j), "not numbers"),
        (pd.concat([FRAME, FRAME[["temperature"]]], axis=1), "column 'temperature' stands there twice"),
    ],
)
def test_a_frame_that_cannot_be_right_is_not_sent(scripted: Scripted, frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        scripted.andon().send_readings(frame)
    assert scripted.asked == []


def test_an_event_with_an_unknown_column_is_not_sent(scripted: Scripted) -> None:
    frame = pd.DataFrame({"machine": ["a"], "kind": ["failure"], "time": [TIME[0]], "componnet": ["b"]})

    with pytest.raises(SourceError, match="'componnet' is none of an event"):
        scripted.andon().send_events(frame)


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("andon.example", {}),
        ("ftp://andon.example", {}),
        ("http://a", {"key": "two words"}),
        ("http://a", {"key": "a\nb"}),
        ("http://a", {"tries": 0}),
    ],
    ids=str,
)
def test_what_no_connection_can_be_made_of_is_refused(address: str, options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Andon(address, **options)
