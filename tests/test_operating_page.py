"""The page about operating: each command and each request of it works, in their order."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingest.plant_file import load_plant
from service.app import create_app
from service.cli.main import main
from service.settings import Settings
from tests.page import blocks

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "force", every = "1 min" }]

[[machines]]
name = "press-1"
class = "press"

[[models]]
name = "odd"
task = "anomaly"
class = "press"
horizon = "24 h"
"""


def test_every_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    schedules, watchdog = blocks("operating.md", "toml")
    zone, _, jobs = schedules.partition("\n")
    Path("plant.toml").write_text(f"{zone}\n{PLANT}\n{jobs}\n{watchdog}", encoding="utf-8")
    assert [job.name for job in load_plant(Path("plant.toml")).jobs] == ["look", "night", "morning"]
    lines = [line for block in blocks("operating.md", "console") for line in block.splitlines()]
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
        runs = client.get("/api/v1/runs?job=morning&limit=100").json()["items"]
        notices = client.get("/watchz")
    assert done == {"andon": 14, "curl": 9}
    assert [run["slot"][:10] for run in reversed(runs) if run["origin"] == "back-fill"] == [
        "2026-01-01",
        "2026-01-02",
        "2026-01-05",
        "2026-01-06",
        "2026-01-07",
    ]
    assert notices.status_code == 200
