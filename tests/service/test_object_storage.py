"""A whole plant whose sealed readings lie in object storage."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest import object_store
from ingest.intake import Intake
from service.app import create_app
from service.cli.main import main
from service.settings import Settings
from tests.object_server import KEY, SECRET, object_server
from tests.oven_plant import PLANT, write_plant


def test_a_plant_is_read_trained_and_scored_with_its_lake_in_object_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = write_plant(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(tmp_path / "plant.toml"), "--json", *arguments])
        printed = capsys.readouterr()
        said = printed.out + printed.err
        assert not any(each in said for each in (KEY, SECRET, "Traceback"))
        return int(ended.value.code or 0), said

    def andon(*arguments: str) -> dict[str, Any]:
        code, said = run(*arguments)
        assert code == 0, said
        return dict(json.loads(said[said.index("{") :]))

    with object_server() as server:
        monkeypatch.setenv("ANDON_LAKE", server.address())
        assert andon("ingest")["accepted"] == readings
        andon("train")
        assert andon("score")["round"]["machines"] == 2
        assert andon("check", "--storage")["problems"] == []
        (name,) = server.names()
        server.objects[name] = server.objects[name][:100] + b"rot" + server.objects[name][103:]
        code, damaged = run("check", "--storage", "--set-aside")
        assert code == 1
        assert f"s3://lake/{name}: damaged" in damaged
        assert "put aside into s3://lake/hall/damaged" in damaged
        server.stop()
        code, unreachable = run("ingest")
        assert code == 1
        assert f"s3://lake/hall at {server.endpoint}: cannot be used" in unreachable

    assert not list((tmp_path / "andon-data").rglob("*.parquet"))


def test_while_object_storage_is_away_the_service_takes_readings_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "TAIL_BYTES", 8)
    (tmp_path / "plant.toml").write_text(PLANT)
    with object_server() as server:
        settings = Settings(plant=tmp_path / "plant.toml", jobs=False, hosts=("testserver",), lake=server.address())
        failing = Event()

        def told(work: str, failed: str | None) -> None:
            failing.set()

        app = create_app(
            settings,
            clock=lambda: datetime(2026, 1, 2, tzinfo=UTC),
            open_intake=lambda store: Intake(store, seal_seconds=0.01, tell=told),
        )
        with TestClient(app, raise_server_exceptions=False, headers={"Accept": "application/json"}) as client:
            row = {"machine": "oven-1", "time": "2026-01-01T23:00:00Z", "temperature": 200.0}
            assert client.post("/api/v1/readings", json=[row]).status_code == 200
            rows = [{**row, "time": f"2026-01-01T22:{minute:02d}:00Z"} for minute in range(60)]
            assert client.post("/api/v1/readings", json=rows).status_code == 200
            app.state.room.store.seal()
            server.fails = lambda method, name: 403 if method == "PUT" else None
            assert client.post("/api/v1/readings", json=[{**row, "temperature": 201.0}]).status_code == 200
            assert failing.wait(20)
            metrics = client.get("/metrics").text
            server.stop()
            assert client.post("/api/v1/readings", json=[{**row, "temperature": 202.0}]).status_code == 200
            asked = client.get("/api/v1/readings", params={"machine": "oven-1"})
            ready = client.get("/readyz").status_code

    assert asked.status_code == 503
    assert asked.headers["content-type"] == "application/problem+json"
    assert "cannot be used" in asked.json()["detail"]
    assert not any(each in asked.text for each in (KEY, SECRET))
    assert "andon_sealing_failed 1.0" in metrics
    assert ready == 200  # readings are taken
