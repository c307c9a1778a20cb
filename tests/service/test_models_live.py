"""Which version is live, was live at some time, and what it takes to put another in its place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle
from models.registry.registry import Registry
from service.cli.main import main
from tests.models.conftest import fitted
from tests.models.pumps import pump_history

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLANT = """
name = "Hall"
classes = [{ name = "pump", signals = [{ name = "vibration", unit = "mm/s" }] }]
machines = [{ name = "pump-0", class = "pump" }]
"""


@pytest.fixture(scope="module")
def seal_risk() -> Bundle:
    return fitted(pump_history())


@pytest.fixture
def two(seal_risk: Bundle) -> Callable[[Registry], tuple[str, str]]:
    def saved(registry: Registry) -> tuple[str, str]:
        other = replace(seal_risk, threshold=seal_risk.threshold * 0.9)
        return tuple(registry.save(each, created=NOW).version for each in (seal_risk, other))  # type: ignore[return-value]

    return saved


def test_over_http_a_challenger_is_refused_unless_it_is_forced_with_a_reason(works: Any, two: Any) -> None:
    first, second = two(works.room.registry)
    path = "/api/v1/models/seal risk"

    def promote(version: str, **body: object) -> Any:
        return works.client.post(f"{path}/promote", json={"version": version, "by": "Ines", **body})

    assert works.get(f"{path}/live") == {
        "model": "seal risk",
        **dict.fromkeys(("live", "what", "since", "by", "why", "against")),
    }
    assert promote(first).json()["live"] == first
    refused = promote(second)
    assert refused.status_code == 409
    assert "is not shown to cost less than the live version" in refused.json()["detail"]
    assert "force" in refused.json()["detail"]
    assert "without a reason" in promote(second, force=True).json()["detail"]
    assert promote(second, force=True, why="the sensor was moved").json()["live"] == second

    live = works.get(f"{path}/live")
    assert (live["live"], live["by"], live["why"], live["what"]) == (second, "Ines", "the sensor was moved", "promote")
    assert "is not shown to cost less" in live["against"]
    assert works.get(f"{path}/live?at=2020-01-01T00:00:00")["live"] is None
    assert works.client.get(f"{path}/live?at=1500-01-01T00:00:00").status_code == 422
    assert works.client.get("/api/v1/models/nothing/live").status_code == 404


def test_on_the_command_line_as_well(
    two: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text(PLANT)
    registry = Registry(tmp_path / "andon-data" / "models")

    def andon(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    assert andon("models", "key") == (1, "there is no key yet; the first 'andon train' makes one\n")
    first, second = two(registry)
    key = registry.keys.own()
    assert key is not None
    assert andon("models", "key") == (0, f"{key}\n")
    assert andon("models", "live", "seal risk") == (0, "seal risk: none was live.\n")
    assert andon("models", "promote", "seal risk", first, "--by", "Ines")[0] == 0
    code, said = andon("models", "promote", "seal risk", second, "--by", "Ines", "--why", "I like it")
    assert code == 1
    assert "cannot be promoted: it is not shown to cost less than the live version" in said
    assert andon("models", "promote", "seal risk", second, "--force")[0] == 1
    forced = ("--by", "Ines", "--force", "--why", "the sensor was moved")
    assert andon("models", "promote", "seal risk", second, *forced) == (0, f"seal risk: {second} is live.\n")

    said = andon("models", "live", "seal risk")[1]
    assert said.startswith(f"seal risk: {second} since ")
    assert "promote by Ines: the sensor was moved" in said
    assert "Forced, although it is not shown to cost less than the live version" in said
    assert andon("models", "live", "seal risk", "--at", "2020-01-01")[1] == "seal risk: none was live.\n"
    assert andon("models", "rollback", "seal risk", "--by", "Jo")[0] == 0
    assert f"rollback by Jo: rolled back from {second}" in andon("models", "live", "seal risk")[1]


def test_the_settings_say_whom_to_trust(two: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.control_room import open_control_room
    from service.settings import read_settings

    (tmp_path / "plant.toml").write_text(PLANT)
    elsewhere = Registry(tmp_path / "elsewhere" / "models")
    version = two(elsewhere)[0]
    here = tmp_path / "andon-data" / "models"
    here.parent.mkdir()
    elsewhere.folder.rename(here)

    def versions(**environment: str) -> list[str]:
        told = {"ANDON_PLANT": str(tmp_path / "plant.toml"), **environment}
        with open_control_room(read_settings(told)) as room:
            return [each.version for each in room.registry.versions()]

    key = elsewhere.keys.own()
    assert key is not None
    assert versions() == []
    assert version in versions(ANDON_TRUSTED_KEYS=key.upper())
    assert version in versions(ANDON_SIGNING_KEY=str(elsewhere.keys.private))
