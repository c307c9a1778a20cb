"""The page about control charts runs from top to bottom."""

import pandas as pd
import pytest

from tests.page import run


def test_every_example_of_the_page_runs_and_the_shift_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    names = run("control_charts.md")

    truth = pd.Timestamp("2026-03-02 13:20", tz="UTC")
    found = names["found"]
    assert found.phase_one.stable
    (signal,) = (each for each in found.signals if each.direction == "up" and each.at >= truth)
    assert signal.since.earliest <= truth <= signal.since.latest
    assert sum(each.at < truth for each in found.signals) <= 2
    assert names["false"]["Nelson"] > 20
    assert 0 < names["able"].ppk.low < names["able"].ppk.value < names["able"].ppk.high
    assert "96 % [95–97 %]" in capsys.readouterr().out
