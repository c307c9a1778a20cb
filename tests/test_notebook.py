"""The page for notebooks runs from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "notebook.md"


@pytest.mark.slow(seconds=40)
def test_every_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 – our own page

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
