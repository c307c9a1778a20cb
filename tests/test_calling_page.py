"""The page about calling people: its plant file is read, and each command and request of it works."""

import json
import shlex
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingest.plant_file import load_plant
from models.finding import Finding
from service.alerts import book
from service.alerts.pipeline.calling import Calling
from service.alerts.pipeline.rules import Rules
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
line = "Line 1"

[[shifts]]
name = "early"
hours = "06:00-14:00"

[[shifts]]
name = "late"
hours = "14:00-22:00"
"""


def test_every_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text("\n".join([PLANT, *blocks("calling.md", "toml")]), encoding="utf-8")
    plant, now = load_plant(Path("plant.toml")), datetime.now(UTC)
    assert [each.name for each in plant.routes] == ["worst", "line 1", "rest"]
    finding = Finding(
        machine="press-1",
        kind="limit",
        cause="too hot",
        model="a",
        version="1",
        begin=now,
        end=None,
        level=0.9,
        act_before=now + timedelta(days=1),
    )
    with closing(open_state(tmp_path / "andon-data" / "state.db")) as state:
        rules = Rules(plant, lambda model, version: {})
        with Calling(state, rules, now).write() as connection:
            book.raise_alert(connection, finding, at=now)
    done = {"andon": 0, "curl": 0}
    app = create_app(Settings(jobs=False, hosts=("localhost",)), clock=lambda: datetime.now(UTC))
    with TestClient(app, base_url="http://localhost:8420") as client:
        for line in [line for block in blocks("calling.md", "console") for line in block.splitlines()]:
            program, *arguments = shlex.split(line.removeprefix("$ "))
            done[program] += 1
            if program == "andon":
                with pytest.raises(SystemExit) as ended:
                    main(arguments)
                assert not ended.value.code, line
            elif arguments[0] == "--json":
                answer = client.post(f"http://{arguments[2]}", json=json.loads(arguments[1]))
                assert answer.is_success, (line, answer.text)
                assert [each["route"] for each in answer.json()["routes"]] == ["worst", "line 1"]
            else:
                answer = client.get(f"http://{arguments[0]}")
                assert answer.is_success, (line, answer.text)
    assert done == {"andon": 5, "curl": 3}
    said = capsys.readouterr().out
    assert "waits for its group (group)" in said
    assert "calls manager" in said
