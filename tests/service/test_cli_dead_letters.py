"""Dead letters on the command line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.store import Store
from service.cli.main import main

PLANT = """
[[classes]]
name = "oven"
signals = [{ name = "temperature" }]

[[machines]]
name = "oven-1"
class = "oven"
"""
ROW = {"machine": "oven-2", "time": "2026-01-01T00:00:00Z", "temperature": 200}


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    path = tmp_path / "plant.toml"
    path.write_text(PLANT)
    store = Store(tmp_path / "andon-data")
    arrived = datetime(2026, 1, 2, tzinfo=UTC)
    letters = [
        DeadLetter(kind=kind, body=json.dumps(ROW).encode(), reason="no such oven", arrived=arrived, head=head)
        for kind, head in (("json", {}), ("smoke", {"topic": "a/b"}))
    ]
    store.deliver([Delivery(source="broker", dead_letters=tuple(letters))])
    store.close()
    return path


@pytest.fixture
def andon(plant: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Any]:
    def run(*arguments: object, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["dead-letters", "--plant", str(plant), *map(str, arguments)])
        printed = capsysbinary.readouterr()
        assert ended.value.code in (code, None), printed.err
        return (printed.err if code else printed.out).decode()

    return run


def test_letters_are_listed_with_reason_and_counts(andon: Callable[..., str]) -> None:
    listed = andon()

    assert "     1  2026-01-02 00:00  broker  no such oven  |  " in listed
    assert "broker: 2 waiting (0.0 MB) of 2; 0 replayed, 0 thrown away, 0 dropped for room" in listed
    assert [each["number"] for each in json.loads(andon("list", "--json", "--after", 1))["dead_letters"]] == [2]


def test_a_letter_is_shown_with_all_its_bytes(andon: Callable[..., str]) -> None:
    assert json.loads(andon("show", 1, "--raw")) == ROW
    assert "topic: a/b" in andon("show", 2)
    assert "no dead letter 9" in andon("show", 9, code=1)


def test_a_replay_follows_the_plant_file_as_it_was_mended(andon: Callable[..., str], plant: Path) -> None:
    assert json.loads(andon("replay", "--json"))["staying"] == 2
    plant.write_text(PLANT + '[[machines]]\nname = "oven-2"\nclass = "oven"\n')

    assert "1 of 2 understood: 1 readings, 0 events; 1 stay" in andon("replay")

    store = Store(plant.parent / "andon-data")
    assert store.read("oven").table["temperature"].to_pylist() == [200.0]
    assert [each.number for each in store.dead_letters()] == [2]
    store.close()


def test_a_letter_can_be_dropped(andon: Callable[..., str]) -> None:
    assert "1 thrown away" in andon("drop", 2, 7)

    assert "broker: 1 waiting" in andon("list")
