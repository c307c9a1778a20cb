"""A whole plant whose sealed readings lie in object storage."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.object_server import KEY, SECRET, object_server

PLANT = """
[[classes]]
name = "oven"
signals = [{ name = "temperature" }]
[[machines]]
names = ["oven-1..2"]
class = "oven"
[[sources]]
name = "telemetry"
path = "readings.csv"
machine = "machine"
time = "time"
[[models]]
name = "strange"
task = "anomaly"
class = "oven"
horizon = "24 h"
"""


def test_a_plant_is_read_trained_and_scored_with_its_lake_in_object_storage(tmp_path: Path) -> None:
    (tmp_path / "plant.toml").write_text(PLANT)
    rows = [
        f"oven-{oven},2026-01-{day:02d}T{hour:02d}:{minute:02d}:00Z,{200 + oven + (hour * 7 + minute * 3 + day) % 11}"
        for oven in (1, 2)
        for day in range(1, 21)
        for hour in range(24)
        for minute in (0, 30)
    ]
    (tmp_path / "readings.csv").write_text("\n".join(["machine,time,temperature", *rows]) + "\n")

    def run(lake: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "service", "--plant", str(tmp_path / "plant.toml"), "--json", *arguments],
            env={**os.environ, "ANDON_LAKE": lake},
            capture_output=True,
            text=True,
            check=False,
        )

    def andon(lake: str, *arguments: str) -> dict[str, Any]:
        ran = run(lake, *arguments)
        assert ran.returncode == 0, ran.stderr
        assert SECRET not in ran.stdout + ran.stderr
        return dict(json.loads(ran.stdout))

    with object_server() as server:
        assert andon(server.address(), "ingest")["accepted"] == len(rows)
        andon(server.address(), "train")
        assert andon(server.address(), "score")["round"]["machines"] == 2
        assert andon(server.address(), "check", "--storage")["problems"] == []
        (name,) = server.names()
        server.objects[name] = server.objects[name][:100] + b"rot" + server.objects[name][103:]
        damaged = run(server.address(), "check", "--storage", "--set-aside")
        assert damaged.returncode == 1
        assert f"s3://lake/{name}: damaged" in damaged.stdout
        assert "put aside into s3://lake/hall/damaged" in damaged.stdout
        server.stop()
        unreachable = run(server.address(), "ingest")

    assert not list((tmp_path / "andon-data").rglob("*.parquet"))
    assert unreachable.returncode != 0
    assert f"s3://lake/hall at {server.endpoint}: cannot be used" in unreachable.stderr
    assert "Traceback" not in unreachable.stderr
    assert not any(each in unreachable.stdout + unreachable.stderr for each in (KEY, SECRET))
