"""The page of a backtest, and the looks at machines that it counts with."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.plant import Job, Plant
from service.cli.backtest import _page_of
from service.cli.main import main
from service.jobs.looks import looks_of
from tests.features.table_history import TableHistory, after
from tests.models.pumps import PLANT, pump_entry, pump_history

PLANT_FILE = """
[[classes]]
name = "pump"
components = ["seal"]
signals = [{ name = "vibration", unit = "mm/s", every = "1 h" }]

[[machines]]
names = "pump-0..5"
class = "pump"

[[sources]]
name = "readings"
path = "readings.csv"
machine = "machine"
time = "time"

[[sources]]
name = "failures"
path = "failures.csv"
machine = "machine"
time = "time"
events = [{ kind = "failure", component = "component" }]

[[models]]
name = "seal risk"
task = "failure_risk"
class = "pump"
horizon = "24 h"
needed_lead = "2 h"
windows = ["4 h"]
stride = "4 h"
"""


@pytest.fixture
def plant(tmp_path: Path, pumps: TableHistory) -> Path:
    (tmp_path / "plant.toml").write_text(PLANT_FILE)
    pumps.readings.to_csv(tmp_path / "readings.csv", index=False)
    pumps.events()[["machine", "time", "component"]].to_csv(tmp_path / "failures.csv", index=False)
    return tmp_path / "plant.toml"


@pytest.fixture(scope="session")
def pumps() -> TableHistory:
    return pump_history()


@pytest.mark.slow(seconds=6)
def test_a_backtest_writes_a_page_that_stands_alone(
    plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    for words in (["ingest"], ["backtest", "--html", str(page), "--json"]):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(plant), *words])
        assert ended.value.code in (None, 0)
    said = json.loads(capsys.readouterr().out)

    (report,) = said["models"]
    assert said["pages"] == [str(page)]
    assert len(report["traces"]) >= report["events"] > 0
    text = page.read_text(encoding="utf-8")
    assert "<h1>seal risk</h1>" in text
    assert f"{report['found']} of {report['events']}" in text
    assert text.count("<svg") >= report["events"] + 2
    assert "<script" not in text


def test_several_models_get_a_page_each(tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    assert _page_of(page, "Presse 1/2", several=False) == page
    assert _page_of(page, "seal_risk", several=True) == tmp_path / "report-seal_risk.html"
    assert _page_of(page, "Presse 1/2", several=True).name.startswith("report-presse-1-2-")


def plant_of(*jobs: Job) -> Plant:
    return PLANT.model_copy(update={"models": [pump_entry()], "jobs": list(jobs)})


def daily(**fields: object) -> Job:
    return Job.model_validate({"name": "look", "action": "score", "cron": "0 6 * * *", **fields})


def test_looks_are_those_of_the_jobs_that_score_the_model(pumps: TableHistory) -> None:
    looks = looks_of(plant_of(daily()), pumps, pump_entry())

    assert looks is not None
    assert {each.astimezone(PLANT.zone).hour for each in looks} == {6}
    assert {second - first for first, second in pairwise(looks)} == {timedelta(days=1)}
    assert looks[0] >= after()


@pytest.mark.parametrize(
    "jobs",
    [
        (),
        (daily(cron=None, every="1 h"),),
        (daily(action="train"),),
        (daily(models=["another"]),),
        (daily(), daily(name="often", cron="*/30 * * * *")),
    ],
)
def test_whoever_looks_as_often_as_windows_end_sees_every_alert(pumps: TableHistory, jobs: tuple[Job, ...]) -> None:
    assert looks_of(plant_of(*jobs), pumps, pump_entry()) is None
