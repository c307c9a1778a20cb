"""Late and corrected readings on the command line and in the metrics."""

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.catalogue import to_microseconds
from ingest.store import Store
from service.cli.main import main
from service.cli.score import headline, told_of_late
from tests.ingest.conftest import START, readings_of
from tests.service.conftest import Works

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "a" }, { name = "b" }]
[[machines]]
names = ["m1", "m2"]
class = "press"
"""


def arrange(store: Store) -> None:
    """Keep and use two readings of each machine; then one comes late, one too late and one is corrected."""
    rows = [(machine, minute, {"a": 1.0, "b": 2.0}) for machine in ("m1", "m2") for minute in (10, 20)]
    store.append(readings_of(rows), source="s", position="1")
    until = dict.fromkeys(("m1", "m2"), to_microseconds(START + timedelta(minutes=20)))
    store.late.settle("press", until, timedelta(minutes=10))
    more = [("m1", 15, {"a": 1.0}), ("m1", 5, {"a": 1.0}), ("m2", 20, {"a": 7.5})]
    store.append(readings_of(more), source="s", position="2")
    store.seal()


@pytest.fixture
def andon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    (tmp_path / "plant.toml").write_text(PLANT)
    store = Store(tmp_path / "andon-data")
    arrange(store)
    store.close()

    def run(*arguments: object, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(tmp_path / "plant.toml"), *map(str, arguments)])
        printed = capsys.readouterr()
        assert ended.value.code in (code, None), printed.err
        return printed.err if code else printed.out

    return run


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01"])
def test_a_time_that_no_calendar_of_ours_has_is_refused_in_one_line(andon: Callable[..., str], time: str) -> None:
    assert f"{time!r} is not between the years 1900 and 2200" in andon("corrections", "--from", time, code=2)


def test_corrections_are_listed_with_the_value_before(andon: Callable[..., str]) -> None:
    assert andon("corrections") == (
        "2026-01-01 00:20:00  m2  a: 1 until 2026-01-01 00:00:00, then 7.5\n"
        "1 values were ever corrected; 1 listed. Times are in UTC.\n"
    )
    assert json.loads(andon("corrections", "--json"))["corrections"][0]["earlier"] == 1.0


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        (["--machine", "m1"], 0),
        (["--machine", "m2"], 1),
        (["--from", "2026-01-01T00:20Z"], 0),
        (["--to", "2026-01-01T00:20Z"], 1),
    ],
)
def test_corrections_are_asked_for_by_machine_and_time(
    andon: Callable[..., str], asked: list[str], listed: int
) -> None:
    assert len(json.loads(andon("corrections", "--json", *asked))["corrections"]) == listed


def test_an_unknown_machine_is_named(andon: Callable[..., str]) -> None:
    assert "no machine 'm9' in the plant file" in andon("corrections", "--machine", "m9", code=1)


def test_check_says_what_came_late_and_what_was_corrected(andon: Callable[..., str]) -> None:
    told = andon("check")
    assert "Late: 3 rows came after their time had been scored, 1 of them too late to score it again" in told
    assert "Corrected: 1 values by a later arrival; see: andon corrections" in told


def test_the_metrics_count_late_rows_and_corrections(works: Works) -> None:
    arrange(works.room.store)
    lines = works.client.get("/metrics").text.splitlines()
    assert 'andon_late_rows_total{machine_class="press",too_late="no"} 2.0' in lines
    assert 'andon_late_rows_total{machine_class="press",too_late="yes"} 1.0' in lines
    assert 'andon_corrections_total{machine_class="press"} 1.0' in lines


def test_corrections_are_paged_over_http(works: Works) -> None:
    works.send("press-1", minutes=3, temperature=1.0)
    works.send("press-1", minutes=2, temperature=5.0)
    works.room.store.seal()
    page = works.get("/api/v1/corrections", machine="press-1", limit=1)
    assert [(each["signal"], each["earlier"], each["value"]) for each in page["items"]] == [("temperature", 2.0, 5.0)]
    following = works.get(page["next"])
    assert [(each["signal"], each["earlier"], each["value"]) for each in following["items"]] == [
        ("temperature", 3.0, 6.0)
    ]
    assert len(works.get("/api/v1/corrections")["items"]) == 4
    assert works.get("/api/v1/corrections", machine="press-2") == {"items": [], "next": None}
    assert works.get("/api/v1/corrections", start=works.now.isoformat())["items"] == []
    assert works.client.get("/api/v1/corrections", params={"machine": "pres-1"}).status_code == 404


def test_a_page_of_corrections_reads_nothing_of_those_before_it(works: Works) -> None:
    for minutes, value in ((4, 1.0), (3, 5.0), (2, 9.0)):
        works.send("press-1", minutes=minutes, temperature=value)
        works.room.store.seal()
    ever = works.get("/api/v1/corrections", machine="press-1")["items"]
    assert len(ever) == 10, "of two signals: three readings, then two"
    page = works.get("/api/v1/corrections", machine="press-1", limit=7)
    assert page["items"] == ever[:7]
    with sqlite3.connect(works.room.store.folder / "readings.db") as database:
        database.execute("update corrections set body = 'gone' where id < (select max(id) from corrections)")
    following = works.get(page["next"])
    assert following["items"] == ever[7:]
    assert works.client.get("/api/v1/corrections", params={"after": "nowhere"}).status_code == 422


@pytest.mark.parametrize(("figures", "lines"), [((0, 0), 0), ((3, 0), 1), ((0, 2), 1), ((3, 2), 2)])
def test_a_round_speaks_of_late_readings_only_where_there_are_any(figures: tuple[int, int], lines: int) -> None:
    told: list[Any] = list(told_of_late(*figures))
    assert len(told) == lines


def test_a_replay_prints_the_content_hash_and_writes_the_same_files_each_time(
    andon: Callable[..., str], tmp_path: Path
) -> None:
    told = [json.loads(andon("replay", "--json", "--into", tmp_path / name)) for name in ("one", "two")]
    assert told[0] == told[1]
    assert len(told[0]["classes"][0]["content_hash"]) == 64
    written = [
        {path.name: path.read_bytes() for path in (tmp_path / name / "lake").rglob("*.parquet")}
        for name in ("one", "two")
    ]
    assert written[0] == written[1]
    assert list(written[0]) == ["20260101-20260101.parquet"]
    line = andon("replay", "--into", tmp_path / "three", "--to", "2026-01-01T00:10Z").splitlines()[0]
    assert line.startswith("press: 5 readings of 2 machines in 1 files, ")
    assert "is there already and not empty" in andon("replay", "--into", tmp_path / "three", code=1)


def test_check_names_a_unit_that_changed_and_relabels_where_it_was_wrong_all_along(
    andon: Callable[..., str], tmp_path: Path
) -> None:
    plant = tmp_path / "plant.toml"
    plant.write_text(PLANT.replace('"a"', '"a", unit = "degC"'))
    andon("check", "--relabel")
    plant.write_text(PLANT.replace('"a"', '"a", unit = "degF"'))
    assert "signal 'a' of class 'press': its history is in 'degC'" in andon("check", code=1)
    assert "signal 'a' of class 'press': its history is in 'degC'" in andon("serve", "--port", 0, code=1)
    assert "its history is in 'degC'" in andon("dead-letters", "replay", code=1), "they would be kept in degF beside it"
    assert "UTC: signal 'a' of class 'press' from 'degC' to 'degF'." in andon("check", "--relabel")
    assert json.loads(andon("check", "--json"))["unit_changes"][0]["before"] == "degC"


def test_nothing_assessed_is_not_told_as_all_is_well() -> None:
    assert headline(0, 3) == "Nothing needs a look now."
    assert "no window was new" in headline(0, 0)
    assert headline(1, 0) == "Where to look first:"
