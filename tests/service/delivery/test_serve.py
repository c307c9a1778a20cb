"""`andon serve` delivers by itself, tells who listens, and ends when it is told to."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from models.finding import Finding
from service.alerts import book
from service.delivery.outbox import NoticeKind, put
from tests.ready_state import open_state
from tests.receiver import Answer, Delivery, receiving

ROOT = Path(__file__).parents[3]
PLANT = """
[[classes]]
name = "press"
signals = [{{ name = "force" }}]
[[machines]]
name = "press-1"
class = "press"
[[targets]]
name = "mes"
kind = "alertmanager"
address = "{address}"
"""


def _event(answer: http.client.HTTPResponse) -> dict[str, Any]:
    while not (line := answer.readline()).startswith(b"data: "):
        assert line, "the stream ended"
    return json.loads(line.removeprefix(b"data: "))


def _raise(folder: Path) -> None:
    now = datetime.now(UTC)
    finding = Finding(
        machine="press-1", kind="anomaly", cause="bearing", model="a", version="1", begin=now, end=None, level=0.9,
        act_before=now,
    )  # fmt: skip
    with closing(open_state(folder / "andon-data" / "state.db")) as state, state.write() as connection:
        alert, _ = book.raise_alert(connection, finding, at=now)
        body = {"machine": "press-1"}
        put(connection, target="mes", kind=NoticeKind.RAISED, body=body, at=now, alert=alert.number)


@pytest.mark.slow(seconds=15)
def test_a_server_delivers_pushes_live_and_ends_although_somebody_listens(tmp_path: Path) -> None:
    came = Event()

    def answer(_: Delivery) -> Answer:
        came.set()
        return Answer()

    with receiving(answer) as receiver:
        (tmp_path / "plant.toml").write_text(PLANT.format(address=receiver.url), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "ANDON_WEBHOOKS_TO": f"127.0.0.1:{receiver.port}"}
        command = [sys.executable, "-m", "service", "--plant", str(tmp_path / "plant.toml"), "serve", "--port", "0"]
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert server.stdout is not None
            address = next(found for line in server.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
            port = int(address[1])
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as listening:
                listening.request("GET", "/api/v1/alerts/stream")
                stream = listening.getresponse()
                assert stream.headers["Content-Type"].startswith("text/event-stream")
                assert stream.readline() == b"id: 0\n"
                _raise(tmp_path)
                assert _event(stream)["happening"] == "raised"
                assert came.wait(60)
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as again:
                    again.request("GET", "/api/v1/alerts/stream", headers={"Last-Event-ID": "0"})
                    assert _event(again.getresponse())["id"] == 1
                server.send_signal(signal.SIGTERM)
                assert server.wait(60) in (0, -signal.SIGTERM)
        finally:
            server.kill()
            server.wait()
            if server.stdout is not None:
                server.stdout.close()
    assert len(receiver.effects) == 1
