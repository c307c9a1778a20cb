"""The page about vibration runs from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "vibration.md"


def test_every_example_of_the_page_runs_and_names_the_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    (plant,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    Path("plant.toml").write_text(plant, encoding="utf-8")
    names: dict[str, Any] = {}

    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 – our own page

    newest = names["newest"]
    assert newest.loc["vibration__bearing_evidence@drive end.outer__2h", "fan-2"] > 5
    assert newest.filter(like="bearing_evidence", axis=0)["fan-1"].max() < 2.5
    assert names["said"].defect == "outer"
    assert "velocity_rms" in capsys.readouterr().out
