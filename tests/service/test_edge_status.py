"""What an operator is told of an edge, while it runs and when it does not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.sources.stream import StreamState
from ingest.spool import Spool
from service.cli.main import main
from service.edge.forwarder import Progress
from service.edge.status import Status, Teller, read_status
from tests.ingest.mqtt_plant import wait_for

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLANT = """
[[classes]]
name = "press"
signals = [{ name = "a" }]
[[machines]]
name = "m1"
class = "press"
"""
MQTT = '[[mqtt]]\nname = "hall"\nhost = "127.0.0.1"\ntopics = [{ template = "plant/{machine}/{signal}" }]\n'


def put(spool: Spool, size: int = 0) -> None:
    letter = DeadLetter(kind="mqtt", body=b"?" * size, reason="no number", arrived=NOW)
    spool.put(Delivery(source="hall", dead_letters=(letter,))).result(10)


def told(folder: Path) -> Callable[[], Status]:
    return lambda: read_status(folder)


def teller_of(spool: Spool, progress: Progress, **states: StreamState) -> Teller:
    return Teller(spool, lambda: progress, lambda: states, to="http://c", most_bytes=1000, clock=lambda: NOW)


def andon(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "plant.toml").write_text(PLANT + MQTT, encoding="utf-8")
    return tmp_path / "plant.toml"


def test_while_it_runs_the_status_is_what_the_process_says_and_afterwards_what_lies_there(tmp_path: Path) -> None:
    progress = Progress(accepted=5, sent=NOW, waiting_since=NOW, problem="it is away", problem_since=NOW)
    with Spool(tmp_path) as spool:
        put(spool)
        teller = teller_of(spool, progress, hall=StreamState(connected=True, why=""))
        teller.start()
        wait_for(lambda: read_status(tmp_path).waiting == 1)
        running = read_status(tmp_path)
        put(spool)
        teller.stop()
    after = read_status(tmp_path)

    assert (running.running, running.accepted, running.problem, running.waiting_since) == (True, 5, "it is away", NOW)
    assert (running.to, running.written, running.streams) == ("http://c", NOW, {"hall": ""})
    assert (after.running, after.waiting, after.problem) == (False, 2, "it is away")
    assert after.streams == {"hall": "nobody listens: andon forward does not run"}
    assert not running.well
    assert not after.well


def test_all_is_well_only_while_it_runs_and_nobody_needs_to_look(tmp_path: Path) -> None:
    well = Status(running=True, streams={"hall": ""})
    assert well.well
    for changed in (
        {"running": False},
        {"problem": "away"},
        {"aside": 1},
        {"altered": 1},
        {"dropped": 1},
        {"unmarked": "no space left"},
        {"streams": {"hall": "no broker answers"}},
    ):
        assert not Status(**{"running": True, "streams": {}, **changed}).well  # type: ignore[arg-type]


def test_what_was_dropped_is_logged_once(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines, Spool(tmp_path, most_bytes=5000, when_full="drop oldest") as spool:
        teller = teller_of(spool, Progress())
        for _ in range(20):
            put(spool, 1000)
        teller.start()
        wait_for(lambda: lines)
        teller.stop()

    (line,) = lines
    assert line["log_level"] == "error"
    assert line["dropped"] == spool.dropped > 0


def test_a_full_disk_costs_the_status_only(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        (tmp_path / "status.new").mkdir()  # cannot be written
        teller = teller_of(spool, Progress())
        teller.start()
        teller.stop()
        assert read_status(tmp_path).running


@pytest.mark.parametrize("text", ["", "{", "[]", '{"running": 1}', '{"running": true, "new": 1, "written": null}'])
def test_a_status_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "status.json").write_text(text, encoding="utf-8")
    assert read_status(tmp_path) == Status(running=False, bytes=0)


def test_the_command_says_what_waits_and_ends_with_a_problem(
    plant: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDON_SPOOL", str(plant.parent / "edge"))
    code, out, _ = andon("forward", str(plant), "--status", capsys=capsys)
    assert (code, out.splitlines()[:2]) == (
        1,
        ["andon forward does not run here.", "Waiting: 0 records; 0.0 MB on disk"],
    )
    assert not (plant.parent / "edge").exists()
    with Spool(plant.parent / "edge") as spool:
        put(spool)
        teller = teller_of(spool, Progress(waiting_since=NOW), hall=StreamState(connected=True, why=""))
        teller.start()
        teller.stop()
        code, out, _ = andon("forward", "--plant", str(plant), "--status", "--json", capsys=capsys)
        said: dict[str, Any] = json.loads(out)
        assert (code, said["well"], said["running"], said["waiting"]) == (0, True, True, 1)
        code, out, _ = andon("forward", str(plant), "--status", capsys=capsys)
        assert "Waiting: 1 records, since 2026-06-01" in out
        assert "Stream hall: listening" in out
    code, out, _ = andon("forward", str(plant), "--status", capsys=capsys)
    assert (code, out.splitlines()[0].split(" It ")[0]) == (1, "andon forward does not run here.")
    assert "Stream hall: nobody listens: andon forward does not run" in out


def test_what_is_missing_to_forward_is_said(
    plant: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no centre is named" in andon("forward", str(plant), capsys=capsys)[2]
    assert "no address of a centre" in andon("forward", str(plant), "--to", "central", capsys=capsys)[2]
    monkeypatch.setenv("ANDON_SPOOL_WHEN_FULL", "burn")
    assert "neither 'refuse' nor 'drop oldest'" in andon("forward", str(plant), "--to", "http://c", capsys=capsys)[2]
    monkeypatch.delenv("ANDON_SPOOL_WHEN_FULL")
    plant.write_text(PLANT, encoding="utf-8")
    code, _, err = andon("forward", str(plant), "--to", "http://c", capsys=capsys)
    assert (code, "names no stream" in err) == (1, True)
