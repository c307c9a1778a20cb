"""What a made-up plant is played to: a broker, a running Andon, and addresses that lead nowhere."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ingest.errors import TargetError
from ingest.intake import Intake
from ingest.plant_file import load_plant
from ingest.simulation.plant_text import plant_text
from ingest.simulation.play import Played, play
from ingest.simulation.scenario import Scenario
from ingest.simulation.targets.catalogue import target_at
from ingest.simulation.targets.target import Target
from ingest.store import Store
from tests.broker import running_broker
from tests.ingest.mqtt_plant import listening, stream_of, wait_for
from tests.ports import deserted_port

PLANT = Scenario(machines={"pump": 1, "press": 1}, days=2, every=timedelta(minutes=20), seed=3)


def played(target: Target, plan: Scenario = PLANT) -> Played:
    with target:
        *_, last = play(plan, target, speed=0, now=False, clock=lambda: datetime.now(UTC), sleep=time.sleep)
    return last


def test_the_tables_of_a_broker_read_what_is_played_to_it(tmp_path: Path, store: Store) -> None:
    with running_broker(tmp_path / "broker") as broker, Intake(store) as intake:
        target = target_at(f"mqtt://127.0.0.1:{broker.port}", PLANT)
        text = plant_text(PLANT, target.tables, dict.fromkeys(PLANT.machines_per_kind, False), files=False)
        (tmp_path / "plant.toml").write_text(text)
        stream = stream_of(load_plant(tmp_path / "plant.toml"))
        with listening(stream, intake):
            last = played(target)
            wait_for(lambda: stream.state.kept == last.readings)

    assert last.taken == last.readings > 1_000
    assert (stream.state.letters, store.counts().readings) == (0, last.readings)
    first = store.read("pump").table.slice(0, 1).to_pylist()[0]
    assert (first["machine"], first["time"]) == ("pump-01", datetime(2026, 1, 5, tzinfo=UTC))


def test_what_nobody_listens_to_is_not_taken(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as broker:
        last = played(target_at(f"mqtt://127.0.0.1:{broker.port}", PLANT))

    assert last.readings > 1_000
    assert last.taken == 0


def test_a_broker_that_is_started_anew_meanwhile_misses_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    with running_broker(tmp_path / "broker") as broker, Intake(store) as intake:
        target = target_at(f"mqtt://127.0.0.1:{broker.port}", PLANT)
        text = plant_text(PLANT, target.tables, dict.fromkeys(PLANT.machines_per_kind, False), files=False)
        (tmp_path / "plant.toml").write_text(text)
        stream = stream_of(load_plant(tmp_path / "plant.toml"))
        with listening(stream, intake):
            pass  # its session waits at the broker from now on
        with target:
            batches = play(PLANT, target, speed=0, now=False, clock=lambda: datetime.now(UTC), sleep=time.sleep)
            for _ in range(10):
                next(batches)
            broker.stop()
            broker.start()
            *_, last = batches
        with listening(stream, intake):
            wait_for(lambda: stream.state.kept >= last.readings)

    assert store.counts().readings == last.readings
    store.close()


@contextmanager
def answering(*answers: tuple[int, dict[str, str], Any] | None) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Give the address of a server that gives these answers, then takes all, and what it was sent.

    ``None`` for an answer ends the connection without one.
    """
    waiting = list(answers)
    came: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, self.headers["Idempotency-Key"], body))
            answer = waiting.pop(0) if waiting else (200, {}, {"accepted": 1})
            if answer is None:
                self.close_connection = True
                return
            status, head, said = answer
            content = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**head, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_batch_that_was_not_taken_is_sent_again_under_its_key_after_the_pause_that_was_asked_for() -> None:
    from urllib.parse import urlsplit

    from ingest.simulation.targets.http import HttpTarget

    pauses: list[float] = []
    with answering((503, {"Retry-After": "7"}, {}), None, (429, {}, {})) as (url, came):
        played(HttpTarget(urlsplit(url), PLANT, sleep=pauses.append))

    assert pauses == [7.0, 1.0, 1.0]
    assert len(set(came[:4])) == 1
    assert len({key for _, key, _ in came}) == len(came) - 3
    assert {path for path, _, _ in came} == {"/api/v1/readings", "/api/v1/events"}


def test_a_refusal_is_told_in_the_words_of_andon() -> None:
    problem = {"detail": "no reading could be kept", "errors": [{"where": "row 1", "reason": "unknown machine"}]}
    with answering((422, {}, problem)) as (url, _), pytest.raises(TargetError) as error:
        played(target_at(url, PLANT))

    assert "no reading could be kept; row 1: unknown machine" in str(error.value)


def test_patience_ends() -> None:
    from urllib.parse import urlsplit

    from ingest.simulation.targets.http import HttpTarget

    with (
        answering(*[(503, {"Retry-After": "50"}, {"detail": "more comes than can be taken"})] * 9) as (url, came),
        pytest.raises(TargetError, match="takes nothing any more: more comes than can be taken"),
    ):
        played(HttpTarget(urlsplit(url), PLANT, sleep=lambda _: None))

    assert len(came) == 4


@pytest.mark.parametrize("scheme", ["http", "https", "mqtt"])
def test_an_address_where_nobody_is_says_so(scheme: str) -> None:
    with deserted_port() as port, pytest.raises(TargetError, match=f"answers at 127.0.0.1:{port} "):
        played(target_at(f"{scheme}://127.0.0.1:{port}", PLANT))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1:1883", "addresses begin with"),
        ("ftp://127.0.0.1", "addresses begin with"),
        ("mqtt://", "names no host"),
        ("mqtt://broker:99999", "Port"),
        ("mqtt://broker/topic", "only a host and a port"),
        ("http://user:secret@broker", "only a host and a port"),
        ("http://[::1", "IPv6"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, why: str) -> None:
    with pytest.raises(TargetError) as error:
        target_at(url, PLANT)

    assert why in str(error.value)
