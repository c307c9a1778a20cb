"""The page for notebooks runs from top to bottom."""

from pathlib import Path

import pytest

from tests.page import run


@pytest.mark.slow(seconds=40)
def test_every_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run("notebook.md")

    assert names["report"].verdict.found > 0
    assert names["precision"].mean() > 3 * names["fails"].mean()
    assert names["share"][1] > 5 * names["share"][0]
    assert not names["challenger"].live
    assert names["live"] == [names["challenger"].version, names["trained"].version]
    assert list(names["history"]["why"][1:]) == ["to try it on one shift", f"rolled back from {names['live'][0]}"]
    assert names["levels"].iloc[-1] > names["levels"].iloc[0]
    assert names["sentence"].startswith("pump-")
    assert "vibration" in names["sentence"]
    assert names["sentence"] in capsys.readouterr().out
