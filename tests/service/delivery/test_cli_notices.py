"""The command: what waits and why, sending once, replaying, and testing a target."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.plant_file import load_plant
from service.cli.main import main
from service.delivery.outbox import NoticeKind, put
from tests.ports import deserted_port
from tests.ready_state import open_state
from tests.receiver import Answer, Receiver, receiving

PLANT = """
[[classes]]
name = "press"
signals = [{{ name = "force" }}]
[[machines]]
name = "press-1"
class = "press"
[[targets]]
name = "mes"
kind = "alertmanager"
address = "{address}"
timeout = "5 s"
{more}
"""
Andon = Callable[..., tuple[int, Any]]


@pytest.fixture
def andon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Andon:
    """Run the command and return its exit code and what it printed as JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANDON_WEBHOOKS_TO", "127.0.0.0/8")

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--json", *arguments])
        out = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out.out) if out.out else out.err

    return run


def write(address: str, more: str = "", alerts: int = 1) -> None:
    Path("plant.toml").write_text(PLANT.format(address=address, more=more), encoding="utf-8")
    plant = load_plant(Path("plant.toml"))
    state = open_state(plant.data_folder / "state.db")
    with state.write() as connection:
        for alert in range(1, alerts + 1):
            body = {"machine": "press-1", "sentence": f"alert {alert}"}
            now = datetime.now(UTC)
            put(connection, target="mes", kind=NoticeKind.RAISED, body=body, at=now, alert=alert)
    state.close()


def test_what_is_due_is_sent_once_and_then_nothing_is(andon: Andon) -> None:
    with receiving() as receiver:
        write(receiver.url, alerts=3)
        assert andon("notices", "send") == (0, {"sent": 3})
        assert andon("notices", "send") == (0, {})
        assert len(receiver.effects) == 3
    assert andon("notices")[1]["targets"]["mes"]["sent"] == 3


def test_what_failed_is_listed_with_the_reason_and_can_be_replayed(andon: Andon) -> None:
    answers = iter([Answer(404, takes=False), Answer()])
    with receiving(lambda _: next(answers)) as receiver:
        write(receiver.url)
        assert andon("notices", "send") == (1, {"dead": 1})
        (dead,) = andon("notices", "list", "--state", "dead")[1]["notices"]
        assert (dead["state"], dead["why"]) == ("dead", "answers 404 Not Found")
        assert andon("notices", "replay", "--target", "mes") == (0, {"waiting": [1]})
        assert andon("notices", "send") == (0, {"sent": 1})
        first, second = receiver.deliveries
        assert first.id == second.id == andon("notices", "show", "1")[1]["message"]


def test_a_target_can_be_tried_without_an_alert(andon: Andon) -> None:
    with receiving() as receiver:
        write(receiver.url, alerts=0)
        assert andon("notices", "test", "mes") == (0, {"target": "mes", "sent": True, "why": ""})
        (got,) = receiver.effects
        assert got.document["alerts"][0]["labels"]["alertname"] == "Test"
    code, said = andon("notices", "test", "mes")
    assert (code, said["sent"]) == (1, False)
    assert "does not answer" in said["why"]
    assert "no target 'shift' in the plant file; there are: mes" in andon("notices", "test", "shift")[1]


def test_check_names_a_target_that_has_no_secret_or_is_not_there_only_when_it_is_asked(andon: Andon) -> None:
    receiver = Receiver()
    write(receiver.url, 'secret_variable = "HOOK_OF_MES"', alerts=0)
    assert not [each for each in andon("check")[1]["problems"] if "mes" in each]
    named = "target 'mes': the environment has no HOOK_OF_MES, which secret_variable names; set it"
    assert named in andon("check", "--targets")[1]["problems"]
    write(receiver.url, alerts=0)
    assert not [each for each in andon("check", "--targets")[1]["problems"] if "mes" in each]
    receiver.close()
    with deserted_port() as port:
        write(f"http://127.0.0.1:{port}/", alerts=0)
        (problem,) = [each for each in andon("check", "--targets")[1]["problems"] if "mes" in each]
    assert problem == f"target 'mes': 127.0.0.1:{port} does not answer: Connection refused"
    assert receiver.deliveries == []
