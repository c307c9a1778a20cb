"""A made-up plant from its files to alerts: what was learnt from the past warns of what comes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingest.duration import parse_duration
from ingest.simulation.scenario import Scenario
from ingest.simulation.write import write_simulation
from service.cli.main import main


def andon(capsys: pytest.CaptureFixture[str], plant: Path, *arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["--plant", str(plant), "--json", *arguments])
    printed = capsys.readouterr()
    assert ended.value.code in (None, 0), printed.err
    return json.loads(printed.out)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pumps for twenty weeks, an hour between two readings, many failures.

    So many that what is saved is surely more than luck, which with a dozen of them it is at some seeds only.
    """
    folder = tmp_path_factory.mktemp("works")
    scenario = Scenario(
        machines={"pump": 12},
        days=140,
        every=parse_duration("1 h"),
        failures_per_machine_year=9,
        sudden_share=0.1,
        seed=0,
    )
    write_simulation(scenario, folder)
    return folder


@pytest.mark.slow(seconds=50)
def test_a_pump_that_wears_out_is_announced_before_it_fails_by_an_alert_that_people_close(
    works: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = works / "plant.toml"
    truth = pd.read_csv(works / "truth.csv", parse_dates=["began", "ended", "fails"])

    read = andon(capsys, plant, "ingest")
    assert {each["reason"].split()[0] for file in read["files"] for each in file["rejections"]} <= {"outside"}
    trained = andon(capsys, plant, "train", "pump failure")
    assert trained["problems"] == []
    first_model = trained["models"][0]
    report = first_model["judged"]
    alerts = [alert for alert in report["alerts"] if alert["verdict"] == "right"]
    assert report["events"] >= 5
    assert alerts, "no failure of the judged part was announced"
    for alert in alerts:
        begin = pd.Timestamp(alert["begin"])
        own = truth[(truth["machine"] == alert["machine"]) & (truth["outcome"] == "failed")]
        assert (own["ended"] > begin).any()
    assert report["money"]["model"] < report["money"]["do_nothing"]

    # What it saved against the calendar is more than luck, so it went live by itself.
    assert first_model["hindrance"] == ""
    right = alerts[0]

    scored = andon(capsys, plant, "score", "--at", right["begin"])
    first = andon(capsys, plant, "alerts")["alerts"]
    again = andon(capsys, plant, "score", "--at", right["begin"])
    second = andon(capsys, plant, "alerts")["alerts"]

    assert scored["where_to_look_first"], "the present round raised nothing"
    assert again["round"]["raised"] == 0
    assert first == second
    keys = [(alert["machine"], alert["cause"]) for alert in first]
    assert len(keys) == len(set(keys))
    number = str(first[0]["number"])
    andon(capsys, plant, "alerts", "acknowledge", number, "--by", "shift A")
    closed = andon(capsys, plant, "alerts", "close", number, "--verdict", "right", "--by", "shift A")["alert"]
    assert (closed["state"], closed["verdict"]) == ("normal", "right")
