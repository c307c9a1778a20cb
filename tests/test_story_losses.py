"""A made-up plant from its files to a loss among the alerts: found, told in numbers, ranked, and closed by a person."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli.main import main

SCENARIO = {
    "machines": {"press": 2},
    "days": 60,
    "every": "1 h",
    "seed": 61,
    "failures_per_machine_year": 0,
    "sensor_faults_per_machine_year": 0,
    "floor": True,
    "losses": [{"machine": "press-02", "kind": "minor stops", "size": 4, "reason": "jam", "from_day": 42}],
}


def andon(capsys: pytest.CaptureFixture[str], plant: Path, *arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["--plant", str(plant), "--json", *arguments])
    printed = capsys.readouterr()
    assert ended.value.code in (None, 0), printed.err
    return json.loads(printed.out)


@pytest.mark.slow(seconds=15)
def test_stops_on_one_machine_become_an_alert_with_money_that_a_person_closes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant, scenario = tmp_path / "works" / "plant.toml", tmp_path / "scenario.json"
    scenario.write_text(json.dumps(SCENARIO), encoding="utf-8")
    andon(capsys, plant, "simulate", str(plant.parent), "--scenario", str(scenario))
    read = andon(capsys, plant, "ingest")
    assert [each for file in read["files"] for each in file["rejections"]] == []

    andon(capsys, plant, "jobs", "run", "judge losses after each shift")
    andon(capsys, plant, "jobs", "run", "judge losses after each shift")

    (alert,) = andon(capsys, plant, "alerts")["alerts"]
    assert (alert["machine"], alert["kind"], alert["cause"]) == ("press-02", "time loss", "minor stops")
    assert "is reason 'jam'" in alert["sentence"]
    (first,) = andon(capsys, plant, "score")["where_to_look_first"]
    assert first["alert"] == alert["number"]
    andon(capsys, plant, "alerts", "close", str(alert["number"]), "--verdict", "right", "--by", "Ada")
    andon(capsys, plant, "jobs", "run", "judge losses after each shift")
    assert andon(capsys, plant, "alerts")["alerts"] == []
