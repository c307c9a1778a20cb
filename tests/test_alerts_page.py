"""The page about alerts: each command and each request of it works, in their order."""

import json
import shlex
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.finding import Finding
from service.alerts import book
from service.app import create_app
from service.cli.main import main
from service.database import open_state
from service.settings import Settings
from tests.page import blocks

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "vibration" }]

[[machines]]
name = "press-1"
class = "press"
"""


def raise_two(folder: Path) -> None:
    now = datetime.now(UTC)
    with closing(open_state(folder / "andon-data" / "state.db")) as state, state.write() as connection:
        for cause in ("bearing", "seal"):
            finding = Finding(
                machine="press-1",
                kind="anomaly",
                cause=cause,
                model="a",
                version="1",
                begin=now,
                end=None,
                level=0.9,
                act_before=now + timedelta(days=1),
            )
            book.raise_alert(connection, finding, at=now)


def test_every_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text(PLANT, encoding="utf-8")
    raise_two(tmp_path)
    lines = [line for block in blocks("alerts.md", "console") for line in block.splitlines()]
    done = {"andon": 0, "curl": 0}
    app = create_app(Settings(jobs=False, hosts=("localhost",)), clock=lambda: datetime.now(UTC))
    with TestClient(app, base_url="http://localhost:8420") as client:
        for line in lines:
            program, *arguments = shlex.split(line.removeprefix("$ "))
            done[program] += 1
            if program == "andon":
                with pytest.raises(SystemExit) as ended:
                    main(arguments)
                assert not ended.value.code, line
            elif arguments[0] == "--json":
                answer = client.post(f"http://{arguments[2]}", json=json.loads(arguments[1]))
                assert answer.is_success, (line, answer.text)
            else:
                answer = client.get(f"http://{arguments[0]}")
                assert answer.is_success, (line, answer.text)
        mutes = client.get("/api/v1/mutes?show=all").json()["items"]
    assert done == {"andon": 14, "curl": 8}
    assert [(each["id"], each["kind"]) for each in mutes] == [
        (5, "out of service"),
        (4, "shelved"),
        (3, "out of service"),
        (2, "shelved"),
        (1, "shelved"),
    ]
    assert [each["id"] for each in mutes if each["ended_at"] is None] == [2]
