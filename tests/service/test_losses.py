"""Losses over HTTP and on the command line."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.cli.main import main

STATES = [("RUN", 48), ("DOWN", 24), ("RUN", 18)]


@pytest.fixture
def told(works: Any) -> Any:
    """Return the works after press-1 told of two days over HTTP."""
    plant = works.room.plant
    object.__setattr__(works.room, "plant", plant.model_validate({**plant.model_dump(by_alias=True), **_PRODUCTION}))
    start = works.now - timedelta(hours=48)
    events: list[dict[str, Any]] = [
        {"machine": "press-1", "kind": "state", "time": (works.now - timedelta(hours=back)).isoformat(), "code": code}
        for code, back in STATES
    ]
    good = {"machine": "press-1", "kind": "count", "time": works.now.isoformat(), "code": "good", "value": 36_000}
    answer = works.client.post("/api/v1/events", json=[*events, {**good, "component": "cap"}])
    assert answer.status_code == 201, answer.text
    works.start = start.isoformat()
    return works


_PRODUCTION = {
    "products": [{"name": "cap", "ideal_cycle": "3 s"}],
    "production": {"words": {"running": ["RUN"], "breakdown": ["DOWN"]}, "hour_value": 100},
}


def test_events_over_http_become_a_loss_tree(told: Any) -> None:
    """48 h: 6 h down, 42 h running, 30 h of pieces."""
    found = told.get("/api/v1/losses", machine="press-1", start=told.start)

    hours = {each["name"]: each["hours"] for each in found["tree"]}
    assert (hours["calendar"], hours["breakdown"], hours["good"], hours["speed_loss"]) == (48, 6, 30, 12)
    assert found["oee"]["availability"] == pytest.approx(42 / 48)
    assert found["oee"]["oee"] == pytest.approx(30 / 48)
    assert found["top"][0]["name"] == "speed_loss"
    assert found["top"][0]["money_per_hour"] == pytest.approx(25)
    assert found["reliability"]["convention"] == "classic"
    assert found["reliability"]["mtbf_hours"] == 42


def test_the_iso_convention_is_named(told: Any) -> None:
    found = told.get("/api/v1/losses", machine="press-1", start=told.start, convention="iso")

    assert (found["reliability"]["convention"], found["reliability"]["mtbf_hours"]) == ("iso", 21)


def test_time_that_has_not_come_is_in_no_bucket(told: Any) -> None:
    later = (told.now + timedelta(days=9)).isoformat()

    found = told.get("/api/v1/losses", machine="press-1", start=told.start, end=later)

    assert found["tree"][0]["hours"] == 48


def test_a_line_is_all_of_its_machines(told: Any) -> None:
    found = told.get("/api/v1/losses", line="Line 1", start=told.start)

    assert found["machines"] == ["press-1", "press-2", "press-3"]
    assert found["tree"][0]["hours"] == 3 * 48
    assert found["oee"]["between"][1] > found["oee"]["between"][0]


@pytest.mark.parametrize(
    ("query", "said"),
    [({"line": "Line 2"}, "no line 'Line 2'; did you mean 'Line 1'?"), ({"machine": "pres-1"}, "no machine 'pres-1'")],
)
def test_a_name_that_is_none_is_said_with_the_nearest(told: Any, query: dict[str, str], said: str) -> None:
    answer = told.client.get("/api/v1/losses", params=query)

    assert answer.status_code == 404
    assert said in answer.json()["detail"]


def test_a_plant_that_told_nothing_has_unknown_time_and_no_error(works: Any) -> None:
    found = works.get("/api/v1/losses")

    assert found["oee"]["oee"] is None
    assert found["oee"]["reasons"]["oee"].startswith("nothing says what machines did")
    assert {each["name"] for each in found["tree"] if each["hours"]} == {"calendar", "planned", "busy", "unknown"}


PLANT = """
[[classes]]
name = "oven"
signals = [{ name = "temperature" }]

[[machines]]
name = "oven-1"
class = "oven"
line = "A"

[production]
words = { running = "RUN" }

[[events]]
machine = "oven-1"
kind = "state"
time = 2025-03-01 00:00:00
code = "RUN"

[[events]]
machine = "oven-1"
kind = "state"
time = 2025-03-03 00:00:00
code = "dark"
"""


@pytest.fixture
def andon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    (tmp_path / "plant.toml").write_text(PLANT, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(tmp_path / "plant.toml"), *arguments])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    assert run("ingest")[0] == 0
    return run


def test_a_recorded_plant_is_asked_up_to_its_newest_event(andon: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = andon("losses")

    assert code == 0
    assert out.startswith("2025-02-24 00:00 to 2025-03-03 00:00, 1 machine\n")
    assert "48.0 h ran of which nothing says what could have been made" in out
    assert "120.0 h (71.4% of planned busy time) unknown" in out


def test_programs_get_the_same_as_json(andon: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = andon("losses", "--json", "--from", "2025-03-02", "--to", "2025-03-04")

    found = json.loads(out)
    assert found["oee"]["oee"] is None
    assert found["oee"]["between"] == [0, 1]
    assert found["remarks"][:2] == [
        "No shifts are declared, so all time counts as planned; declare [[shifts]].",
        "oven-1: no meaning is declared for 'dark' (24.0 h); add it to production.words.",
    ]


def test_a_span_that_ends_before_it_begins_is_wrong_use(andon: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = andon("losses", "--from", "2025-03-02", "--to", "2025-03-01")

    assert code == 2
    assert "--from 2025-03-02 00:00 is not before --to" in err
