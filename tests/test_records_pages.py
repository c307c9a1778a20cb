"""Pages about what is kept of alerts: each command, request and program of them works, in their order."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.finding import Finding
from service.alerts import book
from service.alerts.shelve import shelve
from service.database import open_state
from tests.console import PLANT, run_console
from tests.page import blocks, run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plant with two alerts, as the folder that everything runs in."""
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text(PLANT, encoding="utf-8")
    now = datetime.now(UTC)
    state = open_state(tmp_path / "andon-data" / "state.db")
    with state.write() as connection:
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
        shelve(connection, 1, by="Ines", why="known", at=now, longest=timedelta(hours=1))
    state.close()
    return tmp_path


def test_every_example_of_the_page_about_the_audit_trail_runs(folder: Path) -> None:
    done = run_console("audit.md")
    assert done == {"andon": 9, "curl": 2}
    run("audit.md")
    assert (folder / "heads.txt").read_text().startswith("6 ")


def test_every_example_of_the_page_about_work_orders_runs(folder: Path) -> None:
    Path("plant.toml").write_text(PLANT + blocks("work_orders.md", "toml")[0], encoding="utf-8")
    now = datetime.now(UTC)
    state = open_state(folder / "andon-data" / "state.db")
    with state.write() as connection:
        for cause in ("wear", "leak"):
            finding = Finding(
                machine="press-1",
                kind="failure ahead",
                cause=cause,
                model="a",
                version="1",
                begin=now,
                end=None,
                level=0.9,
                act_before=now + timedelta(days=1),
            )
            book.raise_alert(connection, finding, at=now)
    state.close()
    assert run_console("work_orders.md") == {"andon": 6, "curl": 3}
    said = json.loads((folder / "cmms" / "out" / "work-order-1.json").read_text())
    assert list(said) == list(json.loads(blocks("work_orders.md", "json")[0]))
    assert said["title"] == "Replace the bearing of press-1"
