"""The first command that a newcomer runs, from the sample plant to alerts that its truth confirms."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow(seconds=70)
def test_the_demo_raises_an_alert_that_the_truth_of_the_sample_plant_confirms(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service", "demo", "--no-serve", "--json", "--folder", str(tmp_path / "demo")]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parents[2])

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert len(told["truth"]) == len(told["score"]["where_to_look_first"])
    assert any(each["right"] for each in told["truth"])
    kinds = {each["alert"]: each["kind"] for each in told["score"]["where_to_look_first"]}
    assert [each["right"] for each in told["truth"] if kinds[each["alert"]] == "sensor fault"] == [True]
