"""Mills that change their speed, from the plant file to what is said of them (FE-06, DQ-03)."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli.main import main
from tests.models.mills import HOURS, mill_history

PLANT = """
name = "Mill"
[[classes]]
name = "mill"
signals = [
    { name = "speed", unit = "1/min", every = "30 min", operating = true },
    { name = "temperature", unit = "degC", every = "30 min" },
    { name = "vibration", unit = "mm/s", every = "30 min" },
]
[[classes.regimes]]
name = "slow"
when = "speed > 800 and speed < 1250"
[[classes.regimes]]
name = "fast"
when = "speed >= 1250 and speed < 1800"
[[machines]]
names = ["mill-0..4"]
class = "mill"
[[sources]]
name = "readings"
path = "readings.csv"
machine = "machine"
time = "time"
[[models]]
name = "strange mill"
task = "anomaly"
class = "mill"
horizon = "24 h"
windows = ["6 h", "24 h"]
stride = "3 h"
"""


def test_declared_regimes_are_checked_learnt_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant = tmp_path / "plant.toml"
    plant.write_text(PLANT, encoding="utf-8")
    mill_history(hours=HOURS // 2).readings.to_csv(tmp_path / "readings.csv", index=False)

    def andon(*words: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--plant", str(plant), "--json"])
        assert not ended.value.code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    andon("ingest")
    (ran,) = andon("check")["regimes"]
    (trained,) = andon("train")["models"]
    version = trained["version"]
    andon("models", "promote", "strange mill", version)
    scored = andon("score")

    assert ran["shares"]["slow"] + ran["shares"]["fast"] == pytest.approx(1, abs=0.01)
    assert [each["name"] for each in trained["context"]["regimes"] if each["share"] > 0.4] == ["slow", "fast"]
    assert (scored["round"]["machines"], scored["round"]["errors"]) == (5, [])
    assert scored["not_live"] == scored["where_to_look_first"] == []
