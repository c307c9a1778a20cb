"""The page about control charts runs from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "control_charts.md"


def test_every_example_of_the_page_runs_and_the_shift_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}

    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 – our own page

    truth = pd.Timestamp("2026-03-02 13:20", tz="UTC")
    found = names["found"]
    assert found.phase_one.stable
    (signal,) = (each for each in found.signals if each.direction == "up" and each.at >= truth)
    assert signal.since.earliest <= truth <= signal.since.latest
    assert sum(each.at < truth for each in found.signals) <= 2
    assert names["false"]["Nelson"] > 20
    assert 0 < names["able"].ppk.low < names["able"].ppk.value < names["able"].ppk.high
    assert "96 % [95–97 %]" in capsys.readouterr().out
