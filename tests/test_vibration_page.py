"""The page about vibration runs from top to bottom."""

from pathlib import Path

import pytest

from tests.page import blocks, run


def test_every_example_of_the_page_runs_and_names_the_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (plant,) = blocks("vibration.md", "toml")
    Path("plant.toml").write_text(plant, encoding="utf-8")

    names = run("vibration.md")

    newest = names["newest"]
    assert newest.loc["vibration__bearing_evidence@drive end.outer__2h", "fan-2"] > 5
    assert newest.filter(like="bearing_evidence", axis=0)["fan-1"].max() < 2.5
    assert names["said"].defect == "outer"
    assert "velocity_rms" in capsys.readouterr().out
