"""Levers over HTTP and on the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.cli.main import main
from tests.models.moulds import slow
from tests.service.pressing import LIMIT, press_a_month

PLANT = """\
name = "Moulding"

[[classes]]
name = "press"
signals = [
    { name = "mould temperature", unit = "degC", every = "1 min" },
    { name = "torque", unit = "N m", every = "1 min" },
]

[[machines]]
name = "press-1"
class = "press"

[[sources]]
name = "shots"
path = "shots.csv"
machine_is = "press-1"
time = "time"
signals = { "mould temperature" = "mould temperature", torque = "torque" }
events = [{ kind = "inspection", code = "verdict" }]

[[models]]
name = "shots that burn"
task = "condition"
class = "press"
horizon = "0 s"
windows = ["1 min"]
target = { kind = "inspection" }

[models.condition]
good = ["ok"]
"""


@pytest.fixture
def inspected(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    warm = 62 + 4 * slow(random, 1500, 0.8)
    burnt = random.random(1500) < np.where(warm < 60, 0.2, 0.04)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    times = [(start + timedelta(minutes=place)).isoformat() for place in range(1500)]
    rows = [
        f"{time},{each:.2f},{random.normal(20, 1):.2f},{'burnt' if bad else 'ok'}"
        for time, each, bad in zip(times, warm, burnt, strict=True)
    ]
    (tmp_path / "plant.toml").write_text(PLANT, encoding="utf-8")
    (tmp_path / "shots.csv").write_text("time,mould temperature,torque,verdict\n" + "\n".join(rows), encoding="utf-8")
    run(tmp_path, "ingest")
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["--plant", str(folder / "plant.toml"), *arguments])
    return int(ended.value.code or 0)


def test_levers_of_inspected_pieces_are_told_with_unit_and_interval(
    inspected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    assert run(inspected, "levers") == 0

    out = capsys.readouterr().out
    assert "shots that burn: " in out
    assert "  1. rejects " in out
    assert " when mould temperature < 6" in out or " when mould temperature < 59" in out
    assert "the limit of " in out
    assert "torque" not in out


def test_the_command_gives_the_same_to_programs(inspected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    run(inspected, "--json", "levers", "shots that burn")

    (found,) = json.loads(capsys.readouterr().out)["found"]
    assert found["name"] == "shots that burn"
    assert found["levers"][0]["signal"] == "mould temperature"
    assert found["levers"][0]["ratio"]["low"] > 1
    assert found["judged_from"] > found["until"]


def test_pieces_without_an_order_in_time_are_marked(inspected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant = (inspected / "plant.toml").read_text(encoding="utf-8")
    dealt = plant.replace("[models.condition]", 'split = "random"\n\n[models.condition]\nrandom_because = "no times"')
    (inspected / "plant.toml").write_text(dealt, encoding="utf-8")
    capsys.readouterr()

    run(inspected, "levers")

    assert "NOT TO BE RELIED ON: a RANDOM SPLIT" in capsys.readouterr().out


def test_an_unknown_name_and_a_turned_span_are_refused(inspected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(inspected, "levers", "shots that brn") == 1
    assert "did you mean 'shots that burn'" in capsys.readouterr().err
    assert run(inspected, "levers", "--from", "2026-01-07", "--to", "2026-01-06") == 2


def test_levers_of_counted_pieces_over_http(works: Any) -> None:
    press_a_month(works)

    assert works.get("/api/v1/levers") == {"names": ["press"]}
    found = works.get("/api/v1/levers/press")

    assert found["reason"] == ""
    first = found["levers"][0]
    assert first["signal"] == "temperature"
    assert first["below"] == pytest.approx(LIMIT, abs=1.0)
    assert first["ratio"]["low"] <= 4.0 <= first["ratio"]["high"]
    assert first["money_per_hour"] > 0


def test_over_http_an_unknown_name_is_404_and_no_data_a_reason(works: Any) -> None:
    answer = works.client.get("/api/v1/levers/pres")

    assert answer.status_code == 404
    assert "did you mean 'press'" in answer.json()["detail"]
    assert "no pieces were counted" in works.get("/api/v1/levers/press")["reason"]
    assert works.client.get("/api/v1/levers/press", params={"machine": "press-9"}).status_code == 404
