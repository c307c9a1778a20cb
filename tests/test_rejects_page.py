"""The page about rejects: its plant and its data give what it prints."""

import re
from pathlib import Path

import pytest

from service.cli.main import main
from tests.page import DOCS, blocks, run


def test_the_page_says_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (plant,) = blocks("rejects.md", "toml")
    Path("plant.toml").write_text(plant, encoding="utf-8")
    run("rejects.md")
    page = (DOCS / "rejects.md").read_text(encoding="utf-8")
    ((command, printed),) = re.findall(r"```console\n\$ andon (.*?)\n(.*?)```", page, re.DOTALL)

    called(capsys, "ingest")

    assert called(capsys, *command.split()) == printed


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code
    return capsys.readouterr().out
