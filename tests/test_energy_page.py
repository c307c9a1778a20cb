"""The page about energy runs from top to bottom."""

import re
from pathlib import Path

import pytest

from tests.page import DOCS, blocks, run


def test_every_example_of_the_page_runs_and_finds_the_heating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (plant,) = blocks("energy.md", "toml")
    Path("plant.toml").write_text(plant, encoding="utf-8")

    names = run("energy.md")

    names["store"].close()
    (loss,) = names["review"].losses
    assert loss.cause == "idle load"
    assert loss.actual_kw - loss.expected_kw == pytest.approx(12, rel=0.1)
    assert [each.cause for each in names["losses"]] == ["idle load"]
    assert names["rises"] is not None
    said = capsys.readouterr().out
    assert "line-a: electricity takes" in said
    for line in re.findall(r"```\n(line-a: .*?)…\n```", (DOCS / "energy.md").read_text(encoding="utf-8"), re.DOTALL):
        assert " ".join(line.split()) in said
