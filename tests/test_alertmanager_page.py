"""The page about Alertmanager's interface: its files are read and each of its commands works, in their order."""

import shlex
import subprocess
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path

import pytest

from ingest.plant_file import load_plant
from service.alerts.severity import SAID, Severity
from service.cli.main import main
from tests.alertmanager import amtool, program, running_andon
from tests.page import DOCS, blocks


def test_every_example_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (written,) = blocks("alertmanager.md", "toml")
    Path("plant.toml").write_text(written, encoding="utf-8")
    done = {"amtool": 0, "curl": 0, "andon": 0}
    with running_andon(tmp_path, load_plant(Path("plant.toml"))) as (address, _):
        for line in [line for block in blocks("alertmanager.md", "console") for line in block.splitlines()]:
            tool, *arguments = shlex.split(line.removeprefix("$ "))
            done[tool] += 1
            said = {"amtool": _amtool, "curl": _curl, "andon": _andon}[tool](address, arguments, tmp_path)
            assert "press-1" in said or tool != "andon", line
    assert done == {"amtool": 5, "curl": 6, "andon": 2}


def test_the_configuration_of_prometheus_is_one(tmp_path: Path) -> None:
    (written,) = blocks("alertmanager.md", "yaml")
    (tmp_path / "prometheus.yml").write_text(written, encoding="utf-8")

    ran = subprocess.run(
        [program("promtool"), "check", "config", str(tmp_path / "prometheus.yml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_page_names_each_word_of_severity() -> None:
    page = (DOCS / "alertmanager.md").read_text(encoding="utf-8")
    assert set(SAID.values()) == set(Severity) - {Severity.MEDIUM}
    for word in SAID:
        assert f"`{word}`" in page


def _amtool(address: str, arguments: list[str], home: Path) -> str:
    assert arguments.pop(0) == "--alertmanager.url=http://localhost:8420"
    return amtool(address, *arguments, home=home)


def _curl(address: str, arguments: list[str], home: Path) -> str:
    del home
    body = None
    if arguments[0] == "--json":
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body, arguments = arguments[1].replace("{in an hour}", soon), arguments[2:]
    place, _, path = arguments[0].partition("/")
    assert place == "localhost:8420"
    connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
    connection.request("POST" if body else "GET", f"/{path}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, (path, text)
    return text


def _andon(address: str, arguments: list[str], home: Path) -> str:
    del address, home
    said = StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code
    return said.getvalue()
