"""The command: what it prints, how it ends, and that every mistake gets one clear line."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import AndonError, RegistryError, StoreError
from ingest.plant import ModelEntry
from ingest.plant_file import load_plant
from models.registry.slug import slug
from service.cli.each import each_model
from service.cli.main import COMMANDS, main
from service.cli.serve import listen
from service.control_room import open_control_room
from service.jobs import ledger
from service.jobs.ledger import Origin
from service.settings import Settings

PLANT = """
name = "Bakery"

[[classes]]
name = "oven"
signals = [{ name = "temperature", unit = "degC", range = [0, 400] }]

[[machines]]
name = "oven-1"
class = "oven"

[[sources]]
name = "telemetry"
path = "readings.csv"
machine = "machine"
time = "time"

[[models]]
name = "oven fails"
task = "failure_risk"
class = "oven"
horizon = "4 h"
"""


@dataclass(frozen=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def andon(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def run(*arguments: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        printed = capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else int(bool(code)), printed.out, printed.err)

    return run


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "plant.toml").write_text(PLANT)
    rows = [f"oven-1,2026-01-{day:02d}T{hour:02d}:00:00Z,{200 + hour}" for day in range(1, 4) for hour in range(24)]
    (tmp_path / "readings.csv").write_text("\n".join(["machine,time,temperature", *rows]) + "\n")
    return tmp_path / "plant.toml"


def test_help_lists_every_command_with_its_purpose(andon: Callable[..., Ended]) -> None:
    ended = andon("--help")

    assert ended.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ended.out


def test_an_unknown_command_is_wrong_use(andon: Callable[..., Ended]) -> None:
    ended = andon("scoer")

    assert ended.code == 2
    assert "No such command 'scoer'" in ended.err


def test_a_missing_plant_file_says_how_to_make_one(andon: Callable[..., Ended], tmp_path: Path) -> None:
    ended = andon("--plant", tmp_path / "none.toml", "check")

    assert ended.code == 1
    assert "andon init" in ended.err
    assert ended.err.count("\n") == 1


def test_five_mistakes_get_five_lines(andon: Callable[..., Ended], plant: Path) -> None:
    text = PLANT.replace('class = "oven"\n\n[[sources]]', 'class = "ovne"\n\n[[sources]]')
    text = text.replace('horizon = "4 h"', 'horizon = "soon"\nneeded_laed = "1 h"').replace(
        "range = [0, 400]", "range = [400, 0]"
    )
    text = text.replace('task = "failure_risk"', 'task = "fortune"')
    plant.write_text(text)

    ended = andon("--plant", plant, "check")

    assert ended.code == 1
    assert ended.err.count("plant.toml: ") == 5
    assert "5 problems." in ended.err
    assert "did you mean" in ended.err


def test_the_options_may_stand_before_or_after_the_command(andon: Callable[..., Ended], plant: Path) -> None:
    before = andon("--plant", plant, "--json", "check")
    after = andon("check", "--plant", plant, "--json")

    assert before.json == after.json
    assert before.code == after.code == 0


def test_check_finds_a_missing_column_without_reading_the_file_in(andon: Callable[..., Ended], plant: Path) -> None:
    plant.write_text(PLANT.replace('time = "time"', 'time = "tiem"'))

    ended = andon("--plant", plant, "check")

    assert ended.code == 1
    assert "'tiem'" in ended.err
    assert "time" in ended.err
    assert andon("--plant", plant, "--json", "check").json["store"]["readings"] == 0


def test_reading_twice_changes_nothing(andon: Callable[..., Ended], plant: Path) -> None:
    first = andon("--plant", plant, "--json", "ingest")
    second = andon("--plant", plant, "--json", "ingest")

    assert first.json["accepted"] == 72
    assert (second.json["accepted"], second.json["repeated"]) == (0, 72)
    assert second.code == 0


def test_a_bad_row_is_named_and_the_others_are_kept(andon: Callable[..., Ended], plant: Path) -> None:
    file = plant.parent / "readings.csv"
    file.write_text(file.read_text() + "oven-1,2026-01-04T00:00:00Z,warm\n")

    ended = andon("--plant", plant, "ingest")

    assert ended.code == 0
    assert "line 74" in ended.err
    assert "warm" in ended.err
    assert andon("--plant", plant, "--json", "check").json["store"]["readings"] == 72


def test_a_file_that_cannot_be_read_hides_no_report_of_the_others(andon: Callable[..., Ended], plant: Path) -> None:
    file = plant.parent / "readings.csv"
    file.write_text(file.read_text() + "oven-1,2026-01-04T00:00:00Z,warm\n")
    (plant.parent / "empty.csv").touch()
    plant.write_text(PLANT + '\n[[sources]]\nname = "empty"\npath = "empty.csv"\nmachine = "machine"\ntime = "time"\n')

    ended = andon("--plant", plant, "ingest")
    again = andon("--plant", plant, "--json", "ingest")

    assert ended.code == again.code == 1
    assert "72" in ended.out
    assert "line 74" in ended.err
    assert "the file is empty" in ended.err
    assert "the file is empty" in again.err
    assert [each["repeated"] for each in again.json["files"]] == [72]


def test_a_file_of_bad_rows_only_is_a_problem(andon: Callable[..., Ended], plant: Path) -> None:
    (plant.parent / "readings.csv").write_text("machine,time,temperature\nstove-9,2026-01-04T00:00:00Z,20\n")

    ended = andon("--plant", plant, "ingest")

    assert ended.code == 1
    assert ended.err.count("stove-9") == 1


def test_a_source_without_any_value_is_a_problem(andon: Callable[..., Ended], plant: Path) -> None:
    full = (plant.parent / "readings.csv").read_text()
    empty = "\n".join(["machine,time,temperature", *(f"oven-1,2026-01-0{day}T00:00:00Z," for day in range(1, 4))])
    (plant.parent / "readings.csv").write_text(empty)

    alone = andon("--plant", plant, "ingest")
    (plant.parent / "more.csv").write_text(full)
    plant.write_text(PLANT.replace("readings.csv", "*.csv"))
    beside = andon("--plant", plant, "ingest")

    assert (alone.code, beside.code) == (1, 0)
    assert "source 'telemetry': no value in any of its 3 rows, all 3 cells" in alone.err
    assert "no value" not in beside.err


def test_without_failures_training_offers_the_model_that_needs_none(andon: Callable[..., Ended], plant: Path) -> None:
    andon("--plant", plant, "ingest")

    ended = andon("--plant", plant, "train")

    assert ended.code == 1
    assert 'task = "anomaly"' in ended.err
    assert ended.err.count("\n") == 1


def test_training_before_reading_says_what_to_do(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "train")

    assert ended.code == 1
    assert "ingest" in ended.err


def test_scoring_before_reading_says_what_to_do(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "score")

    assert ended.code == 1
    assert "andon ingest" in ended.err


def test_scoring_before_training_says_what_to_do(andon: Callable[..., Ended], plant: Path) -> None:
    andon("--plant", plant, "ingest")

    ended = andon("--plant", plant, "score")

    assert "oven fails: no version yet; run: andon train" in ended.out


def test_an_unknown_model_is_named_with_those_there_are(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "backtest", "boiler")

    assert ended.code == 1
    assert "no model 'boiler'" in ended.err
    assert "oven fails" in ended.err


def test_a_time_that_is_none_is_wrong_use(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "score", "--at", "yesterday")

    assert ended.code == 2
    assert "2026-05-03T06:00" in ended.err


def test_an_unknown_alert_is_one_line(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "alerts", "acknowledge", 7)

    assert ended.code == 1
    assert "no alert 7" in ended.err
    assert ended.err.count("\n") == 1


def test_a_taken_port_is_one_line(andon: Callable[..., Ended], plant: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = andon("--plant", plant, "serve", "--port", port)

    assert ended.code == 1
    assert f"127.0.0.1:{port}" in ended.err
    assert "--port" in ended.err
    assert ended.err.count("\n") == 1


def test_lists_are_empty_before_anything_was_done(andon: Callable[..., Ended], plant: Path) -> None:
    assert andon("--plant", plant, "--json", "alerts").json == {"alerts": []}
    assert andon("--plant", plant, "--json", "models").json == {"models": [], "unreadable": []}
    assert andon("--plant", plant, "--json", "jobs").json == {"jobs": []}
    assert andon("--plant", plant, "--json", "jobs", "runs").json == {"runs": []}


def test_a_job_that_runs_already_is_not_run_and_says_since_when(andon: Callable[..., Ended], plant: Path) -> None:
    plant.write_text(plant.read_text() + '\n[[jobs]]\nname = "look"\naction = "clean"\nevery = "9 d"\n')
    now = datetime.now(UTC)
    with open_control_room(Settings(plant=plant)) as room, room.state.write() as connection:
        ledger.plan(connection, "look", [now], origin=Origin.BY_HAND)
        ledger.claim(connection, jobs=["look"], worker="night", at=now, lease=timedelta(hours=1))

    ended = andon("--plant", plant, "jobs", "run", "look")

    assert ended.code == 1
    assert f"job 'look' is running since {now:%Y-%m-%d %H:%M:%S} UTC (run 1, worker night)" in ended.err
    assert len(andon("--plant", plant, "--json", "jobs", "runs").json["runs"]) == 1


def test_a_job_is_run_by_hand_to_its_end(andon: Callable[..., Ended], plant: Path) -> None:
    plant.write_text(plant.read_text() + '\n[[jobs]]\nname = "look"\naction = "clean"\nevery = "9 d"\n')

    ended = andon("--plant", plant, "--json", "jobs", "run", "look")

    assert (ended.code, ended.json["run"]["state"]) == (0, "done")


def test_init_does_not_write_over_a_plant_file(andon: Callable[..., Ended], plant: Path) -> None:
    ended = andon("--plant", plant, "init", plant.parent / "readings.csv")

    assert ended.code == 2
    assert "--force" in ended.err
    assert plant.read_text() == PLANT


def test_a_proposed_plant_reads_its_own_files(andon: Callable[..., Ended], plant: Path) -> None:
    proposed = plant.parent / "proposed.toml"

    guesses = andon("init", plant.parent / "readings.csv", "-o", proposed, "--json")
    read = andon("--plant", proposed, "--json", "ingest")

    assert guesses.code == 0
    assert {guess["key"] for guess in guesses.json["guesses"]}
    assert read.json["accepted"] == 72


def test_the_same_seed_simulates_the_same_plant(andon: Callable[..., Ended], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        ended = andon("simulate", tmp_path / folder, "--machines", 2, "--days", 3, "--seed", 5, "--json")
        assert ended.json["machines"] == 2

    for file in (tmp_path / "one").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_an_impossible_scenario_is_one_line(andon: Callable[..., Ended], tmp_path: Path) -> None:
    ended = andon("simulate", tmp_path / "plant", "--every", "7 min")

    assert ended.code == 1
    assert "every" in ended.err
    assert ended.err.count("\n") == 1


def test_a_schedule_that_is_none_is_found_by_check_and_refused_by_serve(
    andon: Callable[..., Ended], plant: Path
) -> None:
    job = '[[jobs]]\nname = "look"\naction = "score"\ncron = "99 * * * *"\n'
    plant.write_text(plant.read_text() + "\n" + job)

    checked, served = andon("check", "--plant", plant), andon("serve", "--plant", plant, "--port", 0)

    assert (checked.code, served.code) == (1, 1)
    for each in checked, served:
        assert "job 'look': '99 * * * *' is not a cron expression" in each.err


def test_a_source_of_which_every_row_is_ignored_is_a_problem(andon: Callable[..., Ended], plant: Path) -> None:
    text = plant.read_text().replace('name = "oven-1"', 'name = "oven-9"')
    plant.write_text(text.replace('path = "readings.csv"', 'path = "readings.csv"\nother_machines = "ignore"'))

    ended = andon("--plant", plant, "ingest")

    assert ended.code == 1
    assert "source 'telemetry': all 72 rows" in ended.err


def test_a_signal_that_never_came_and_a_model_that_cannot_be_trained_are_problems(
    andon: Callable[..., Ended], plant: Path
) -> None:
    column = '{ name = "temperature", unit = "degC", range = [0, 400] }'
    plant.write_text(plant.read_text().replace(column, f'{column}, {{ name = "humidity" }}'))

    read = andon("--plant", plant, "ingest")
    checked = andon("--plant", plant, "check")

    assert (read.code, checked.code) == (0, 1)
    assert "signal 'humidity' of class 'oven'" in read.err
    assert "signal 'humidity' of class 'oven'" in checked.err
    assert "model 'oven fails': no failure" in checked.err
    assert "No problem found" not in checked.out


def test_check_says_how_much_is_left_out_because_machines_are_off(andon: Callable[..., Ended], plant: Path) -> None:
    plant.write_text(plant.read_text().replace('name = "oven"\n', 'name = "oven"\nrunning = "temperature > 211"\n', 1))
    andon("--plant", plant, "ingest")

    told, as_json = andon("--plant", plant, "check"), andon("--plant", plant, "--json", "check")

    # Of 71 hours, the oven is too cold for the first 12 of each day.
    assert "oven: 51% of the newest 71 h is left out, off or settling." in told.out
    assert as_json.json["left_out"][0]["machines"] == {"oven-1": pytest.approx(36 / 71)}


def test_check_and_training_say_what_is_suspicious_about_recorded_failures(
    andon: Callable[..., Ended], plant: Path
) -> None:
    failures = [
        f'[[events]]\nmachine = "oven-1"\nkind = "failure"\ntime = 2026-01-0{day} 05:07:0{day}Z' for day in (2, 3)
    ]
    plant.write_text("\n\n".join([plant.read_text(), *failures, failures[1].replace("05:07", "06:22")]))
    andon("--plant", plant, "ingest")

    told, as_json = andon("--plant", plant, "check"), andon("--plant", plant, "--json", "check")
    trained = andon("--plant", plant, "train")

    says = (
        "oven: 1 of 3 failures follow one of the same machine, component and code within 8 h (oven-1 2026-01-03 06:22)"
    )
    assert f"Look at {says}; " in told.out
    assert [each["kind"] for each in as_json.json["labels"]] == ["recorded twice"]
    assert says in trained.out


def test_damage_to_what_is_stored_is_found_and_put_aside_on_demand(andon: Callable[..., Ended], plant: Path) -> None:
    andon("--plant", plant, "ingest")
    segment = next((plant.parent / "andon-data" / "lake").glob("*/*.parquet"))
    content = bytearray(segment.read_bytes())
    content[40] ^= 4
    segment.write_bytes(content)

    found = andon("--plant", plant, "check", "--storage")
    aside = andon("--plant", plant, "check", "--storage", "--set-aside")
    after = andon("--plant", plant, "check", "--storage")

    assert (found.code, aside.code) == (1, 1)
    assert f"{segment}: damaged" in found.err
    assert "Storage: read 1 files of the lake and 0 batches of the log with 72 rows: 1 damaged." in found.out
    assert "with 0 rows: none damaged, all as written." in after.out
    assert "Storage" not in andon("--plant", plant, "check").out
    assert "72 rows of class 'oven', 2026-01-01 00:00 to 2026-01-03 23:00 UTC" in found.err
    assert "put aside into" in aside.err
    assert (segment.parent.parent.parent / "damaged" / segment.name).exists()
    assert "damaged" not in after.err
    assert andon("--plant", plant, "check", "--set-aside").code == 2


@pytest.mark.parametrize("error", [StoreError("disk gone"), RegistryError("card.json was altered")])
def test_what_one_model_cannot_do_stops_no_other(plant: Path, error: AndonError) -> None:
    entries = load_plant(plant)
    both = entries.model_copy(update={"models": [*entries.models, entries.models[0].model_copy(update={"name": "b"})]})

    def work(entry: ModelEntry) -> str:
        if entry.name == "oven fails":
            raise error
        return entry.name

    assert each_model(both, (), work) == (["b"], [f"oven fails: {error}"])


def test_an_unreadable_version_is_listed_with_its_reason(andon: Callable[..., Ended], plant: Path) -> None:
    folder = plant.parent / "andon-data" / "models" / slug("oven fails") / "0123456789abcdef"
    folder.mkdir(parents=True)
    ended = andon("--plant", plant, "models", "list")

    assert ended.code == 0
    assert "oven fails  0123456789abcdef  unreadable: " in ended.out
    assert "card.json cannot be read" in ended.out
    assert "model version skipped" in ended.err


def test_a_history_of_what_is_live_that_is_no_history_is_one_line(andon: Callable[..., Ended], plant: Path) -> None:
    andon("--plant", plant, "ingest")
    models = plant.parent / "andon-data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / "live.jsonl").write_bytes(b"\x07garbage without an end")

    ended = andon("--plant", plant, "score")

    assert ended.code == 1
    assert "live.jsonl: line 1 was altered" in ended.err


def test_a_file_of_which_most_rows_are_bad_is_a_problem(andon: Callable[..., Ended], plant: Path) -> None:
    file = plant.parent / "readings.csv"
    rows = [f"oven-1,2026-01-0{day}T00:00:00Z,{value}" for day, value in enumerate(["warm", "hot", "1", "cold"], 1)]
    file.write_text("\n".join(["machine,time,temperature", *rows]) + "\n")

    assert andon("--plant", plant, "ingest").code == 1


def test_connections_wait_in_line_from_the_moment_the_address_is_known() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname(), timeout=5):
        # With the protocol named, asyncio lets small answers go at once.
        assert listener.proto == socket.IPPROTO_TCP
