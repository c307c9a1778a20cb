"""A made-up plant that the command plays into a running Andon or a broker."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.plant_file import load_plant
from ingest.simulation.plant_text import plant_text
from ingest.simulation.play import play
from ingest.simulation.scenario import Scenario, scenario_from
from ingest.simulation.targets.catalogue import target_at
from ingest.store import Store
from service.cli.main import main
from tests.broker import running_broker
from tests.ports import deserted_port
from tests.trials.killed_server import Server

PLAN = {"machines": 2, "days": 2, "seed": 3}


@pytest.fixture
def andon(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        printed = capsys.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else int(bool(code)), printed.out, printed.err

    return run


@pytest.fixture
def plan() -> Scenario:
    return scenario_from(PLAN)


def options(plan: dict[str, int]) -> list[str]:
    return [word for key, value in plan.items() for word in (f"--{key}", str(value))]


def serving(folder: Path, plan: Scenario) -> Server:
    foreseeable = dict.fromkeys(plan.machines_per_kind, False)
    (folder / "plant.toml").write_text(plant_text(plan, "", foreseeable, files=False))
    server = Server(folder)
    server.start()
    return server


def test_a_server_has_each_reading_once_that_was_played_into_it(
    tmp_path: Path, plan: Scenario, andon: Callable[..., tuple[int, str, str]]
) -> None:
    server = serving(tmp_path, plan)
    try:
        where = f"http://127.0.0.1:{server.port}"
        first = andon("simulate", *options(PLAN), "--to", where, "--speed", 0, "--now", "--json")
        played = json.loads(first[1])
    finally:
        server.kill()

    assert first[0] == 0
    assert played["taken"] == played["readings"] > 1_000
    store = Store(tmp_path / "andon-data")
    try:
        assert store.counts().readings == played["readings"]
        newest = max(each.as_py() for name in plan.machines_per_kind for each in store.read(name).table["time"])
    finally:
        store.close()
    assert timedelta(0) < datetime.now(UTC) - newest < timedelta(minutes=30)


def test_a_server_that_is_killed_meanwhile_misses_and_doubles_nothing(tmp_path: Path, plan: Scenario) -> None:
    server = serving(tmp_path, plan)
    try:
        with target_at(f"http://127.0.0.1:{server.port}", plan) as target:
            batches = play(plan, target, speed=0, now=False, clock=lambda: datetime.now(UTC), sleep=time.sleep)
            played = [next(batches) for _ in range(10)]
            server.kill()
            server.start()
            *_, last = batches
    finally:
        server.kill()

    assert played[-1].through < 0.5 < last.through == 1
    store = Store(tmp_path / "andon-data")
    try:
        assert store.counts().readings == last.readings == last.taken
    finally:
        store.close()


def test_the_plant_file_of_a_played_plant_listens_to_the_broker(
    tmp_path: Path, andon: Callable[..., tuple[int, str, str]]
) -> None:
    with running_broker(tmp_path / "broker") as broker:
        where = f"mqtt://127.0.0.1:{broker.port}"
        written = andon("simulate", tmp_path / "plant", *options(PLAN), "--to", where, "--speed", 0)
        printed = andon("simulate", *options(PLAN), "--to", where, "--speed", 0)

    plant = load_plant(tmp_path / "plant" / "plant.toml")
    assert [(each.host, each.port) for each in plant.mqtt] == [("127.0.0.1", broker.port)]
    assert len(plant.machines) == 2
    assert "[[mqtt.topics]]" in printed[1]
    assert "were not taken; was Andon listening?" in written[1]


def test_a_plant_file_of_another_plant_is_left_alone(
    tmp_path: Path, andon: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "plant.toml").write_text("name = 'mine'")

    code, _, said = andon("simulate", tmp_path, "--to", "http://127.0.0.1")

    assert code == 2
    assert "is of another plant" in said
    assert (tmp_path / "plant.toml").read_text() == "name = 'mine'"


def test_an_andon_that_is_not_running_is_one_line(andon: Callable[..., tuple[int, str, str]]) -> None:
    with deserted_port() as port:
        code, _, said = andon("simulate", "--to", f"http://127.0.0.1:{port}")

    assert (code, said) == (1, f"nobody answers at 127.0.0.1:{port} (Connection refused); is it running?\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name a FOLDER"),
        (("folder", "--now"), "name where --to"),
        (("folder", "--speed", "60"), "name where --to"),
        (("--to", "coap://127.0.0.1"), "addresses begin with http://"),
    ],
)
def test_what_cannot_be_played_is_one_clear_mistake(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    andon: Callable[..., tuple[int, str, str]],
    arguments: tuple[str, ...],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    code, _, said = andon("simulate", *arguments)

    assert code in (1, 2)
    assert why in said
    assert list(tmp_path.iterdir()) == []
