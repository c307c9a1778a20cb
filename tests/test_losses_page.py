"""The page about lost time: its plant and its events give what it prints."""

import re
from pathlib import Path

import pytest

from service.cli.main import main

PAGE = Path(__file__).parents[1] / "docs" / "losses.md"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code
    return capsys.readouterr().out


def test_the_page_says_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    (plant,), (log,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "csv"))
    Path("plant.toml").write_text(plant, encoding="utf-8")
    Path("log.csv").write_text(log, encoding="utf-8")
    ((command, printed),) = re.findall(r"```console\n\$ andon (.*?)\n(.*?)```", page, re.DOTALL)

    run(capsys, "ingest")

    assert run(capsys, *command.split()) == printed
