"""Control charts over HTTP and on pages (IE-05, IE-06)."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ingest.plant import MachineClass, Plant, Signal
from ingest.plant_characteristic import Characteristic
from ingest.reading import Readings, readings_schema
from service.cli.main import main
from service.watch_characteristics import watch_characteristics
from tests.service.conftest import HOSTILE, Works, open_works, small_plant

HOUR = timedelta(hours=1)
ABLE = Characteristic(signal="temperature", phase_one=60, false_signals_per_year=50, lower=10.0, upper=30.0)
CHART = "/api/v1/characteristics/chart"
PLANT = """
[[classes]]
name = "mould"
signals = [{ name = "level", unit = "°C", every = "1 h" }]

[[classes.characteristics]]
signal = "level"
phase_one = 60
false_signals_per_year = 50
lower = 10
upper = 30

[[machines]]
name = "mould-1"
class = "mould"

[[sources]]
name = "file"
path = "readings.csv"
machine = "machine"
time = "time"

[[jobs]]
name = "losses"
action = "losses"
every = "1 h"
"""


def plant_with_charts(folder: Path) -> Plant:
    plant = small_plant(folder)
    press = MachineClass(
        name="press",
        components=["bearing"],
        signals=[Signal(name="temperature", unit="°C", every="20 min"), Signal(name="vibration", unit="mm/s")],
        characteristics=[ABLE],
    )
    return plant.model_copy(update={"classes": [press]})


def send(works: Works, machine: str, *, hours: int, shift: float = 0.0) -> None:
    """Keep readings of so many hours around 20 °C, the last 20 of them shifted."""
    random = np.random.default_rng(3)
    count = 3 * hours
    level = 20 + np.repeat(random.normal(0, 1, hours), 3) + random.normal(0, 0.5, count)
    level[-60:] += shift
    times = [works.now - each * timedelta(minutes=20) for each in reversed(range(count))]
    table = pa.table(
        {"machine": [machine] * count, "time": times, "arrived": times, "temperature": level},
        schema=readings_schema(("temperature",)),
    )
    works.room.store.append(Readings("press", table), source="test", position=machine)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """press-1 has shifted, press-2 is in control, press-3 has too little, and of the fourth nothing was read."""
    for opened in open_works(tmp_path_factory.mktemp("charts"), plant_with_charts):
        send(opened, "press-1", hours=140, shift=4.0)
        send(opened, "press-2", hours=140)
        send(opened, "press-3", hours=30)
        watch_characteristics(opened.room.plant, opened.room.store, opened.room.state, at=opened.now)
        yield opened


def test_the_list_says_how_each_one_stands(works: Any) -> None:
    items = works.get("/api/v1/characteristics")["items"]

    assert [(each["machine"], each["state"]) for each in items] == [
        ("press-1", "shifted"),
        ("press-2", "in control"),
        ("press-3", "learning"),
        (HOSTILE, None),
    ]
    assert items[2]["says"] == "Normal is being learnt: 30 of 60 points of 1 h"
    assert items[3]["says"] == "it was not looked at yet"
    assert len(works.get("/api/v1/characteristics", machine="press-2")["items"]) == 1


def test_a_chart_tells_its_normal_its_signals_and_its_capability(works: Any) -> None:
    shown = works.get(CHART, machine="press-1", signal="temperature")

    assert (shown["state"], shown["unit"]) == ("shifted", "°C")
    assert shown["requested_run_length"] == pytest.approx(175.32)
    assert shown["phase_one"]["verdict"].startswith("stable")
    assert shown["centre"] == pytest.approx(20, abs=0.6)
    (signal,) = shown["signals"]
    assert signal["direction"] == "up"
    assert signal["size"] == pytest.approx(4, abs=1.5)
    assert signal["earliest"] <= signal["since"] <= signal["latest"] <= signal["at"]
    points = shown["points"]
    assert len({len(points[name]) for name in points}) == 1
    assert points["low"][-1] < points["expected"][-1] < points["high"][-1]
    assert max(points["value"][-20:]) > 24


def test_capability_of_a_stable_process_has_intervals(works: Any) -> None:
    able = works.get(CHART, machine="press-2", signal="temperature")["capability"]

    assert able["ppk"]["low"] < able["ppk"]["value"] < able["ppk"]["high"]
    assert able["ppk"]["value"] == pytest.approx(10 / (3 * 1.118), rel=0.25)
    assert able["beyond"]["value"] == 0


def test_points_of_a_span_alone_are_shown_and_signals_are_the_same(works: Any) -> None:
    whole = works.get(CHART, machine="press-1", signal="temperature")
    part = works.get(CHART, machine="press-1", signal="temperature", start=(works.now - 10 * HOUR).isoformat())

    assert len(part["points"]["time"]) == 10
    assert part["points"]["value"] == whole["points"]["value"][-10:]
    assert part["signals"] == whole["signals"]


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"machine": "press-9", "signal": "temperature"}, 404, "press-9"),
        ({"machine": "press-1", "signal": "temprature"}, 404, "did you mean 'temperature'?"),
        ({"machine": "press-1", "signal": "vibration"}, 404, "no characteristic 'vibration' of press-1"),
        ({"machine": HOSTILE, "signal": "temperature"}, 409, "nothing was read"),
        ({"machine": "press-1"}, 422, "signal"),
    ],
)
def test_a_chart_that_there_is_not_is_a_problem(works: Any, query: dict[str, str], status: int, told: str) -> None:
    response = works.client.get(CHART, params=query)

    assert response.status_code == status, response.text
    assert told in response.text


def page(works: Any, path: str, **query: Any) -> str:
    response = works.client.get(path, params=query, headers={"Accept": "text/html"})
    assert response.status_code == 200, response.text
    return str(response.text)


def test_the_page_lists_what_shifted_first(works: Any) -> None:
    text = page(works, "/characteristics")

    assert text.index("press-1") < text.index("press-3") < text.index("press-2")
    assert "not looked at yet" in text
    assert HOSTILE not in text
    assert 'href="/characteristics/chart?machine=press-1&amp;signal=temperature"' in text


def test_the_page_of_a_chart_draws_it_and_says_since_when(works: Any) -> None:
    text = page(works, "/characteristics/chart", machine="press-1", signal="temperature", days=7)

    assert '<path class="band"' in text
    assert 'class="mark mark-alert"' in text
    assert "Shifted." in text
    assert "60 points" in text
    assert "No tolerance is declared" not in text


def test_the_page_of_an_alert_leads_to_its_chart(works: Any) -> None:
    (alert,) = works.get("/api/v1/alerts", machine="press-1")["items"]

    text = page(works, f"/alerts/{alert['number']}")

    assert 'href="/characteristics/chart?machine=press-1&amp;signal=temperature"' in text
    assert "its chart seldom signals for nothing" in text


def test_the_page_of_a_chart_that_is_being_learnt_says_how_far_it_is(works: Any) -> None:
    text = page(works, "/characteristics/chart", machine="press-3", signal="temperature")

    assert "Normal is being learnt: 30 of 60 points of 1 h" in text
    assert "<h2>Signals</h2>" not in text


def test_a_plant_without_charts_says_how_to_have_one(works_with: Callable[..., Works]) -> None:
    assert "[[classes.characteristics]]" in page(works_with(), "/characteristics")


@pytest.fixture
def andon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command over 140 hours of a file; returns code and output."""
    (tmp_path / "plant.toml").write_text(PLANT, encoding="utf-8")
    random = np.random.default_rng(3)
    levels = 20 + random.normal(0, 1, 140) + 4 * (np.arange(140) >= 120)
    lines = [f"mould-1,{datetime(2025, 3, 1, tzinfo=UTC) + each * HOUR:%Y-%m-%dT%H:%M:%SZ},{level:.3f}"
             for each, level in enumerate(levels, start=1)]  # fmt: skip
    (tmp_path / "readings.csv").write_text("\n".join(["machine,time,level", *lines]), encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(tmp_path / "plant.toml"), *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    assert run("ingest")[0] == 0
    return run


def test_the_command_and_the_job_that_watches_losses_tell_of_charts(andon: Callable[..., tuple[int, str]]) -> None:
    code, out = andon("charts")
    assert code == 0
    assert "mould-1, level: shifted. " in out
    assert "  Ppk not known: the process is not stable" in out

    code, out = andon("jobs", "run", "losses")
    assert (code, "1 control charts: 1 raised, 0 over, 1 last" in out) == (0, True), out

    (alert,) = json.loads(andon("alerts", "list", "--json")[1])["alerts"]
    assert (alert["kind"], alert["cause"]) == ("process shift", "level shift")
    (shown,) = json.loads(andon("charts", "--json", "--to", "2025-03-05T12:00:00+00:00")[1])["charts"]
    assert shown["state"] == "in control"
    assert shown["capability"]["ppk"]["low"] > 1
