"""What the simulator writes can be read by the product, holds no truth, and can be made again."""

import json
import tracemalloc
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from ingest.event import EVENT_COLUMNS, EVENT_KINDS
from ingest.plant_file import load_plant
from ingest.simulation.machine import simulate
from ingest.simulation.scenario import Scenario, scenario_from
from ingest.simulation.write import Format, write_simulation

SAMPLE = Path(__file__).parents[2] / "sample_data"
PLANT = Scenario(
    machines={"press": 1, "pump": 2, "spindle": 1},
    days=35,
    start=date(2026, 3, 10),
    every=timedelta(hours=2),
    time_zone="Europe/Berlin",
    failures_per_machine_year=30,
    seed=4,
    name='Works "A" \\ 2',
)


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_say_what_the_machines_say(tmp_path: Path, suffix: Format) -> None:
    report = write_simulation(PLANT, tmp_path, suffix)
    histories = list(simulate(PLANT))

    for each in histories:
        table = read(tmp_path / "readings" / each.machine.kind.name / f"{each.machine.name}.{suffix}")
        table["time"] = pd.to_datetime(table["time"], utc=True).astype("datetime64[us, UTC]")
        said = each.readings.table.drop_columns(["arrived"]).to_pandas()
        pd.testing.assert_frame_equal(table, said, check_dtype=False)
    events = pd.read_csv(tmp_path / "events.csv")
    assert tuple(events.columns) == EVENT_COLUMNS
    assert set(events["kind"]) <= set(EVENT_KINDS)
    assert len(events) == report.events == sum(len(each.events) for each in histories)
    assert len(pd.read_csv(tmp_path / "production.csv")) == sum(len(each.production) for each in histories)
    assert len(pd.read_csv(tmp_path / "truth.csv")) == sum(len(each.truth) for each in histories)
    assert report.readings == sum(each.readings.count for each in histories)
    assert report.failures == (events["kind"] == "failure").sum()
    assert report.bytes == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())


def test_the_plant_file_is_ready_to_use_and_does_not_name_the_truth(tmp_path: Path) -> None:
    write_simulation(PLANT, tmp_path)
    plant = load_plant(tmp_path / "plant.toml")

    assert plant.name == PLANT.name
    assert plant.time_zone == PLANT.time_zone
    assert [each.name for each in plant.machines] == [each.name for each in PLANT.plant()]
    assert {each.task for each in plant.models} == {"anomaly"}
    assert {each.action for each in plant.jobs} == {"ingest", "score", "train"}
    named = {path.resolve() for source in plant.sources for path in tmp_path.glob(source.path)}
    written = {path.resolve() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in written - named} == {"truth.csv", "plant.toml", "scenario.json"}


@pytest.mark.parametrize(
    ("machines", "rate", "learns"),
    [(8, 30.0, True), (8, 6.5, False), (4, 60.0, False)],
    ids=["enough of both", "too few failures", "too few machines"],
)
def test_a_model_of_failures_is_named_only_where_there_is_enough_to_learn_from(
    tmp_path: Path, machines: int, rate: float, learns: bool
) -> None:
    plant = replace(
        PLANT, machines={"pump": machines}, days=120, every=timedelta(hours=24), failures_per_machine_year=rate
    )
    write_simulation(plant, tmp_path)

    tasks = {each.task for each in load_plant(tmp_path / "plant.toml").models}
    assert tasks == ({"failure_risk", "anomaly"} if learns else {"anomaly"})


def test_the_same_scenario_file_makes_the_same_files(tmp_path: Path) -> None:
    write_simulation(PLANT, tmp_path / "one")
    again = scenario_from(json.loads((tmp_path / "one" / "scenario.json").read_text(encoding="utf-8")))
    write_simulation(again, tmp_path / "two")

    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_what_was_not_over_at_the_end_has_no_end_yet(tmp_path: Path) -> None:
    plant = replace(PLANT, machines={"pump": 20}, failures_per_machine_year=300, days=6)
    write_simulation(plant, tmp_path)
    events = pd.read_csv(tmp_path / "events.csv", parse_dates=["time", "end"])
    end = pd.Timestamp(plant.end, unit="s", tz="UTC")

    assert events["time"].max() < end
    assert events["end"].max() <= end
    assert events.loc[events["kind"] == "stop", "end"].isna().any()


def test_progress_is_told_machine_by_machine(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_simulation(replace(PLANT, days=2), tmp_path, progress=lambda *each: told.append(each))

    assert told == [("press-01", 1, 4), ("pump-01", 2, 4), ("pump-02", 3, 4), ("spindle-01", 4, 4)]


def test_writing_holds_a_month_of_a_machine_and_not_its_years(tmp_path: Path) -> None:
    def peak(days: int) -> int:
        tracemalloc.start()
        write_simulation(replace(PLANT, machines={"pump": 1}, days=days, every=timedelta(hours=1)), tmp_path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(31)
    assert peak(180) < 1.6 * peak(45)


def test_the_sample_plant_is_what_its_scenario_makes(tmp_path: Path) -> None:
    scenario = scenario_from(json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8")))
    write_simulation(scenario, tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    delivered = sorted(
        path.relative_to(SAMPLE) for path in SAMPLE.rglob("*") if path.is_file() and "andon-data" not in path.parts
    )

    assert delivered == sorted([*made, Path("README.md")])
    for path in made:
        if path.suffix == ".parquet":
            pd.testing.assert_frame_equal(read(SAMPLE / path), read(tmp_path / path), rtol=0, atol=1e-9)
        else:
            assert (SAMPLE / path).read_text(encoding="utf-8") == (tmp_path / path).read_text(encoding="utf-8"), path
    assert sum((SAMPLE / path).stat().st_size for path in delivered) < 5_000_000


def test_the_sample_plant_ends_with_failures_on_their_way_and_has_enough_to_learn_from() -> None:
    scenario = scenario_from(json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8")))
    truth = pd.read_csv(SAMPLE / "truth.csv", parse_dates=["began", "ended", "fails"])
    end = pd.Timestamp(scenario.end, unit="s", tz="UTC")
    coming = truth[(truth["outcome"] == "failed") & (truth["fails"] >= end) & ~truth["sudden"].astype(bool)]
    ahead = coming["fails"] - end
    failed = truth[(truth["outcome"] == "failed") & (truth["fails"] < end)]
    seen = failed[~failed["sudden"].astype(bool)]

    assert ((ahead >= timedelta(hours=12)) & (ahead <= timedelta(days=3))).sum() >= 2
    assert len(seen) >= 40
    assert seen["machine"].nunique() >= 10
    assert len(failed) > len(seen)
    assert {each.task for each in load_plant(SAMPLE / "plant.toml").models} == {"failure_risk", "anomaly"}


def test_the_readme_of_the_sample_plant_names_its_seed_and_every_signal() -> None:
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    scenario = scenario_from(json.loads((SAMPLE / "scenario.json").read_text(encoding="utf-8")))

    assert f"seed {scenario.seed}" in text
    assert "andon simulate" in text
    for machine_class in load_plant(SAMPLE / "plant.toml").classes:
        for signal in machine_class.signals:
            assert f"| `{signal.name}` | {signal.unit} |" in text
