"""The page of signals that are not without fault stands alone and shows each of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.cli.main import main

CSV_HEAD = "machine,time,flow,power\n"
PLANT = """\
name = "Works <1>"
[[classes]]
name = "pump"
signals = [{ name = "flow", unit = "m3/h", every = "1 min" }, { name = "power", every = "1 min" }]
[[machines]]
name = "p-1"
class = "pump"
[[sources]]
name = "file"
path = "data.csv"
machine = "machine"
time = "time"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.toml").write_text(PLANT)
    rows = []
    for minute in range(9 * 1440):
        noise = (minute * 7919 % 1000) / 500
        flow = 50.0 if 3000 < minute < 6000 else 50 + noise
        time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        rows.append(f"p-1,{time.isoformat()},{flow},{20 + noise}")
    (tmp_path / "data.csv").write_text(CSV_HEAD + "\n".join(rows))
    return tmp_path


def test_check_grades_signals_and_writes_a_page_of_those_with_faults(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, "ingest")
    capsys.readouterr()

    run(folder, "check", "--page", str(folder / "quality.html"))

    out = capsys.readouterr().out
    assert "1 of 2 signals are without fault" in out
    assert "pump flow" in out
    assert "it stands still, 3,001 readings of 50" in out
    page = (folder / "quality.html").read_text(encoding="utf-8")
    assert page.count("<figure") == 2
    assert page.index("flow of p-1") < page.index("power of p-1")
    assert "100 of 100" in page
    assert "<td>flat</td>" in page
    assert 'class="mark-area"' in page
    assert "Works &lt;1&gt;" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_check_counts_what_was_turned_away_replaced_and_repeated_and_doubts_units(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant = (folder / "plant.toml").read_text().replace('unit = "m3/h"', 'unit = "degX", range = [0, 100]')
    (folder / "plant.toml").write_text(plant.replace('name = "power",', 'name = "power", unit = "kW",'))
    head, *rows = (folder / "data.csv").read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for number in range(0, 2000, 10):
        cells[number][2], cells[number][3] = "999", "broken"
    again = [",".join([*each[:3], "7.5"]) for each in cells[5000:5400]]
    (folder / "data.csv").write_text("\n".join([head, *map(",".join, cells), *again, *map(",".join, cells[7000:7100])]))
    run(folder, "ingest")
    capsys.readouterr()

    run(folder, "check", "--json")

    found = json.loads(capsys.readouterr().out)
    reasons = {each["signal"]: set(each["reasons"]) for each in found["quality"]}
    assert reasons == {"flow": {"flat", "out_of_domain"}, "power": {"invalid", "duplicate_stamp"}}
    assert found["repeated"] == {"p-1": 100}
    assert found["doubtful_units"] == [
        "signal 'flow' of class 'pump': unit 'degX' is not known, so nothing converts to it; did you mean 'degC' or"
        " 'degF'?"
    ]
    run(folder, "check")
    assert "100 rows came again with nothing new" in capsys.readouterr().out


def test_a_page_that_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, "ingest")

    assert run(folder, "check", "--page", str(folder / "none" / "quality.html")) != 0
    assert "the page cannot be written" in capsys.readouterr().err


def run(folder: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["--plant", str(folder / "plant.toml"), *arguments])
    return int(ended.value.code or 0)
