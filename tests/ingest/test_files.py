"""Files as people have them: brought in once, whatever is wrong with some of their rows."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.reading import Readings, readings_schema
from ingest.report import FileReport, IngestReport
from ingest.sources import files
from ingest.sources.csv_file import CsvFile
from ingest.sources.files import ingest_files
from ingest.store import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEADER = "machine,time,force,heat\n"


def plant_in(folder: Path, *sources: dict[str, Any], **keys: Any) -> Plant:
    base = {"name": "s", "path": "data.csv", "machine": "machine", "time": "time"}
    return Plant.model_validate(
        {
            "classes": [{"name": "press", "signals": [{"name": "force", "range": (0, 100)}, {"name": "heat"}]}],
            "machines": [{"name": "p1", "class": "press"}, {"name": "p2", "class": "press"}],
            "sources": [{**base, **each} for each in sources or ({},)],
            "folder": folder,
            **keys,
        }
    )


def ingest(folder: Path, store: Store, *sources: dict[str, Any], **keys: Any) -> IngestReport:
    return ingest_files(plant_in(folder, *sources, **keys), store, now=NOW)


def only(report: IngestReport) -> FileReport:
    (file,) = report.files
    return file


def values(store: Store, signal: str = "force") -> list[float | None]:
    return list(store.read("press", signals=[signal]).table[signal].to_pylist())


def happened(store: Store) -> list[dict[str, Any]]:
    return list(pa.Table.from_pandas(store.events()).to_pylist())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(HEADER + "p1,2026-01-01,1,10\np1,2026-01-02,2,\np2,2026-01-01,3,30\n")
    return tmp_path


def test_a_file_is_read_with_a_report(folder: Path, store: Store) -> None:
    report = only(ingest(folder, store))
    assert (report.rows, report.accepted, report.repeated, report.rejected, report.missing) == (3, 3, 0, 0, 1)
    assert (report.readings, report.path) == (5, "data.csv")
    assert values(store) == [1.0, 2.0, 3.0]


def test_a_repeated_file_changes_nothing_and_says_so(folder: Path, store: Store) -> None:
    ingest(folder, store)
    before = store.read("press").table
    report = only(ingest(folder, store))
    assert (report.rows, report.accepted, report.repeated) == (3, 0, 3)
    assert store.read("press").table.equals(before)
    (folder / "copy.csv").write_bytes((folder / "data.csv").read_bytes())
    assert only(ingest(folder, store, {"path": "copy.csv"})).repeated == 3


def test_a_file_that_has_grown_adds_its_new_rows_only(folder: Path, store: Store) -> None:
    ingest(folder, store)
    with (folder / "data.csv").open("a") as file:
        file.write("p1,2026-01-01,1,10\np1,2026-01-02,5,\np1,2026-01-03,6,\n")
    report = only(ingest(folder, store))
    assert (report.rows, report.accepted, report.repeated, report.corrected) == (6, 2, 4, 1)
    assert values(store) == [1.0, 5.0, 6.0, 3.0]


def test_a_changed_plant_file_reads_the_file_again(folder: Path, store: Store) -> None:
    first = ingest(folder, store, machines=[{"name": "p1", "class": "press"}])
    assert (only(first).accepted, only(first).rejected) == (2, 1)
    assert (only(ingest(folder, store)).accepted, values(store)) == (1, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("wrong", "row"),
    [
        ({"machines": [{"name": "p1", "class": "press"}]}, "p2,2026-01-03,7,70"),
        ({"classes": [{"name": "press", "signals": [{"name": "force", "range": (0, 6)}]}]}, "p2,2026-01-03,7,70"),
        ({"sources": [{"name": "s", "path": "data.csv", "machine": "machine", "time": "time", "decimal": ","}]},
         "p2,2026-01-03,7.0,70"),
    ],
)  # fmt: skip
def test_rows_that_were_rejected_are_taken_up_once_the_plant_file_is_mended(
    folder: Path, store: Store, wrong: dict[str, Any], row: str
) -> None:
    with (folder / "data.csv").open("a") as file:
        file.write(row + "\n")
    ingest(folder, store, **wrong)
    before, listed = values(store), store.rejections("s")

    ingest(folder, store)

    assert 7.0 not in before
    assert listed
    assert values(store) == [1.0, 2.0, 3.0, 7.0]
    assert store.rejections("s") == []
    assert only(ingest(folder, store)).accepted == 0


def correct(store: Store, moment: datetime, value: float, *, arrived: datetime) -> None:
    """Let somebody else correct the force of p1, in a row of its own arrival."""
    table = pa.table([["p1"], [moment], [arrived], [value]], schema=readings_schema(("force",)))
    store.append(Readings("press", table), source="api", position="")


@pytest.mark.parametrize("sealed", [True, False])
def test_a_file_that_is_read_again_for_the_plant_file_leaves_what_was_corrected_since(
    folder: Path, store: Store, sealed: bool
) -> None:
    ingest(folder, store)
    correct(store, datetime(2026, 1, 1, tzinfo=UTC), 9.0, arrived=NOW + timedelta(days=1))
    if sealed:
        store.seal()

    ingest_files(plant_in(folder, time_zone="UTC", name="renamed"), store, now=NOW + timedelta(days=2))
    ingest_files(plant_in(folder, {"time_zone": "UTC"}), store, now=NOW + timedelta(days=2))
    assert values(store) == [9.0, 2.0, 3.0]
    ingest_files(plant_in(folder, {"signals": {"heat": "force", "force": "heat"}}), store, now=NOW + timedelta(days=3))
    assert values(store) == [9.0, 2.0, 30.0]
    assert values(store, "heat") == [10.0, 2.0, 3.0]
    arrived = store.read("press").table["arrived"].to_pylist()
    assert arrived == [NOW + timedelta(days=1), NOW, NOW], "the file came when it was read first"


def test_a_file_that_was_mended_itself_is_news_and_corrects(folder: Path, store: Store) -> None:
    ingest(folder, store)
    correct(store, datetime(2026, 1, 1, tzinfo=UTC), 9.0, arrived=NOW + timedelta(days=1))
    (folder / "data.csv").write_text(HEADER + "p1,2026-01-01,4,10\np1,2026-01-02,2,\np2,2026-01-01,3,30\n")
    ingest_files(plant_in(folder), store, now=NOW + timedelta(days=2))
    assert values(store) == [4.0, 2.0, 3.0]


def test_a_file_may_hold_a_history_of_any_age(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").write_text(HEADER + "p1,1970-01-01,1,\np1,1936-05-01,2,\n")
    assert only(ingest(tmp_path, store)).rejected == 0
    assert values(store) == [2.0, 1.0]


def test_moving_a_machine_keeps_its_history(folder: Path, store: Store) -> None:
    def standing_at(line: str) -> list[dict[str, str]]:
        return [{"name": name, "class": "press", "site": "north", "line": line} for name in ("p1", "p2")]

    ingest(folder, store, machines=standing_at("line 1"))
    with (folder / "data.csv").open("a") as file:
        file.write("p1,2026-01-03,4,40\n")
    moved = only(ingest(folder, store, machines=standing_at("line 2")))

    assert (moved.accepted, moved.repeated) == (1, 3)
    assert values(store) == [1.0, 2.0, 4.0, 3.0]


def test_bad_rows_are_named_by_their_line_and_the_good_ones_stay(folder: Path, store: Store) -> None:
    lines = [
        "p1,2026-01-01,1,10",
        "",
        "p1,2026-01-02,high,20",
        "p1,2026-01-03,2",
        'p2,2026-01-04,"3",30',
        "p9,2026-01-05,4,40",
        "p1,05.01.2026,5,50",
        "p1,2026-01-06,inf,60",
        "p1,2026-01-07,700,70",
    ]
    (folder / "data.csv").write_text(HEADER + "\n".join(lines))
    report = only(ingest(folder, store))
    found = {each.line: (each.column, each.value, each.reason) for each in report.rejections}
    assert {line: column for line, (column, _, _) in found.items()} == {
        4: "force", 5: "", 7: "machine", 8: "time", 9: "force", 10: "force",
    }  # fmt: skip
    assert found[4][1:] == ("high", "text where a number should be")
    assert found[5][2] == "the line has 3 fields, the header has 4"
    assert values(store, "heat") == [10.0, 20.0, 60.0, 70.0, 30.0]
    assert {each.line for each in store.rejections("s")} == set(found)


def test_a_quotation_mark_that_never_ends_takes_no_line_with_it(tmp_path: Path, store: Store) -> None:
    rows = ['p1,2026-01-01,"1,10', *(f"p1,2026-01-0{day},{day},{10 * day}" for day in (2, 3)), 'p1,2026-01-04,4,"40']
    (tmp_path / "data.csv").write_text(HEADER + "\n".join([*rows, "p1,2026-01-05,5,50", ""]))
    report = only(ingest(tmp_path, store))

    assert {each.line: (each.column, each.value) for each in report.rejections} == {
        2: ("force", '"1'),
        5: ("heat", '"40'),
    }
    assert values(store, "force") == [2.0, 3.0, 4.0, 5.0]
    assert values(store, "heat") == [10.0, 20.0, 30.0, 50.0]


def test_rejections_keep_their_lines_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f'"m{number}",\n' if number % 5 else f'"two\nlines",{number}\n' for number in range(200)]
    path.write_text("a,b\n" + "".join(rows))
    lines = path.read_text().split("\n")
    for chunk in CsvFile(path, block_bytes=100).chunks(("a",)):
        for row, cell in enumerate(chunk.table["a"].to_pylist()):
            assert lines[chunk.line_of(row) - 1].startswith(f'"{cell.split(chr(10))[0]}')


def test_all_formats_and_folders_give_the_same(tmp_path: Path, store: Store) -> None:
    table = pa.table({"machine": ["p1", "p2"], "time": [NOW, NOW], "force": [1.0, 2.0], "note": ["x", "y"]})
    for name in ("parquet", "file", "stream", "text", "packed"):
        (tmp_path / name).mkdir()
    pq.write_table(table, tmp_path / "parquet" / "a.parquet")
    with pa.ipc.new_file(tmp_path / "file" / "a.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream" / "a.arrows", table.schema) as stream:
        stream.write_table(table)
    text = f"machine\ttime\tforce\np1\t{NOW.isoformat()}\t1\np2\t{NOW.isoformat()}\t2\n"
    (tmp_path / "text" / "a.tsv").write_text("\ufeff" + text)
    (tmp_path / "packed" / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "packed" / "README.md").write_text("not data")
    for number, name in enumerate(("parquet", "file", "stream", "text", "packed")):
        other = Store(tmp_path / f"store-{number}")
        report = only(ingest(tmp_path, other, {"path": name, "delimiter": "\t"}))
        assert (name, report.accepted, report.rejected) == (name, 2, 0)
        assert other.read("press", signals=["force"]).table["force"].to_pylist() == [1.0, 2.0]
        other.close()
    assert len(ingest(tmp_path, store, {"path": "*/*.a*"}).files) == 2


def test_other_encodings_of_windows_are_read(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").write_bytes("machine,time,Kraft °\np1,2026-01-01,1\n".encode("cp1252"))
    ingest(tmp_path, store, {"signals": {"force": "Kraft °"}})
    assert values(store) == [1.0]


def test_time_may_go_backwards_and_stamps_may_repeat(tmp_path: Path, store: Store) -> None:
    rows = ["p1,2026-01-03,3,", "p1,2026-01-01,1,", "p1,2026-01-01,1,", "p1,2026-01-01,7,", "p1,2026-01-02,2,"]
    (tmp_path / "data.csv").write_text(HEADER + "\n".join(rows) + "\n")
    report = only(ingest(tmp_path, store))
    assert (report.rows, report.accepted, report.repeated, report.corrected) == (5, 4, 1, 1)
    assert values(store) == [7.0, 2.0, 3.0]


def test_each_machine_of_a_run_to_failure_fails_once_the_file_is_read(folder: Path, store: Store) -> None:
    source = {"run_to_failure": True}
    assert only(ingest(folder, store, source)).events_added == 2
    assert [(row["machine"], row["time"].day) for row in happened(store)] == [("p2", 1), ("p1", 2)]
    again = only(ingest(folder, store, source))
    assert (again.events_added, again.events_repeated) == (0, 4)


def test_a_prefix_keeps_machines_apart_that_two_sources_name_alike(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").write_text("machine,time,force\n1,2026-01-01,5\n")
    machines = [{"name": "p1", "class": "press"}, {"name": "1", "class": "press"}]
    report = ingest(tmp_path, store, {"machine_prefix": "p"}, {"name": "plain"}, machines=machines)

    assert [each.accepted for each in report.files] == [1, 1]
    assert sorted(store.spans("press")) == ["1", "p1"]


def test_cycles_may_be_counted_from_the_newest_reading_of_each_machine(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").write_text("machine,time,force\np1,2026-01-01 06:00,5\np1,2026-01-01 04:00,5\n")
    (tmp_path / "left.csv").write_text("machine,left\np1,7\np2,3\n")
    ends = {
        "name": "ends",
        "path": "left.csv",
        "time": None,
        "cycle": "left",
        "cycle_length": "1 h",
        "cycle_after_newest": True,
        "events": [{"kind": "failure"}],
    }
    report = ingest(tmp_path, store, {}, ends)

    assert [(row["machine"], row["time"].hour) for row in happened(store)] == [("p1", 13)]
    assert "no reading to count from" in report.files[1].rejections[0].reason


def test_events_come_from_files_and_from_the_plant_file(folder: Path, store: Store) -> None:
    (folder / "events.csv").write_text("machine,time,part\np1,2026-01-05 06:00,belt\n")
    source = {"name": "e", "path": "events.csv", "events": [{"kind": "failure", "component": "part"}]}
    known = {"machine": "p2", "kind": "maintenance", "time": "2026-07-01T08:00:00"}
    report = ingest(folder, store, source, events=[known], time_zone="Europe/Berlin")
    assert [each.events_added for each in report.files] == [1, 1]
    assert [(row["kind"], row["component"], row["time"].hour) for row in happened(store)] == [
        ("failure", "belt", 5), ("maintenance", "", 6),
    ]  # fmt: skip
    again = ingest(folder, store, source, events=[known], time_zone="Europe/Berlin")
    assert [(each.events_added, each.events_repeated) for each in again.files] == [(0, 1), (0, 1)]


def test_ten_thousand_columns_are_read(tmp_path: Path, store: Store) -> None:
    names = [f"signal_{number}" for number in range(10_000)]
    rows = [f"p1,2026-01-01 00:0{minute}," + ",".join(str(minute) for _ in names) for minute in range(3)]
    (tmp_path / "data.csv").write_text("machine,time," + ",".join(names) + "\n" + "\n".join(rows) + "\n")
    classes = [{"name": "press", "signals": [{"name": name} for name in names]}]
    report = only(ingest(tmp_path, store, classes=classes))
    assert report.readings == 30_000
    assert store.read("press", signals=["signal_9999"]).table["signal_9999"].to_pylist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", b"", "the file is empty"),
        ("data.csv", b"\n\n", "the file is empty"),
        ("data.csv", b"\xff\xfem\0a\0", "not UTF-8 text"),
        ("data.csv", b'machine,time,"for\nce"\np1,2026-01-01,1\n', "the first line ends inside quotes"),
        ("data.parquet", b"", "the file is empty"),
        ("data.parquet", b"PAR1 and no more", "not a Parquet file, or cut off"),
        ("data.arrow", b"no arrow at all", "not an Arrow file, or cut off"),
        ("data.csv", b"machine;time;force\np1;2026-01-01;1\n", "may need another delimiter"),
        ("data.csv", b"machine,time,forse\np1,2026-01-01,1\n", "no column is named as a signal"),
        ("data.csv", b"machine,time,time,force\np1,2026-01-01,1,1\n", "2 columns are named 'time'"),
        ("data.csv", b"machine,time,force,force\np1,2026-01-01,1,1\n", "2 columns are named 'force'"),
        ("data.csv", b"machine,time,force\rp1,2026-01-01,1\r", "end with a carriage return alone"),
        ("data.xls", b"abc", "the ending does not tell the format"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_line(
    tmp_path: Path, store: Store, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as error:
        ingest(tmp_path, store, {"path": name})
    assert message in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_header_without_rows_is_a_report_of_nothing(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").write_text(HEADER)
    report = only(ingest(tmp_path, store))
    assert (report.rows, report.accepted, report.rejected) == (0, 0, 0)


def test_a_source_without_files_gets_one_line(tmp_path: Path, store: Store) -> None:
    with pytest.raises(SourceError, match="no such file"):
        ingest(tmp_path, store, {"path": "*.csv"})


def test_a_folder_named_as_a_file_is_said_to_be_one(tmp_path: Path, store: Store) -> None:
    (tmp_path / "data.csv").mkdir()
    with pytest.raises(SourceError, match="a folder without any CSV, Parquet or Arrow file"):
        ingest(tmp_path, store)


def test_a_broken_file_does_not_keep_the_others_out(folder: Path, store: Store) -> None:
    (folder / "broken.csv").write_text("machine,force\np1,1\n")
    with pytest.raises(SourceError, match="no column 'time'"):
        ingest(folder, store, {"path": "*.csv"})
    assert values(store) == [1.0, 2.0, 3.0]


def test_a_bounded_log_is_sealed_on_the_way(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CELLS_IN_THE_LOG", 1)
    assert only(ingest(folder, store)).accepted == 3
    assert (store.waiting(), values(store)) == (0, [1.0, 2.0, 3.0])


def test_progress_is_told(folder: Path, store: Store) -> None:
    told: list[tuple[str, int, int]] = []
    ingest_files(plant_in(folder), store, now=NOW, progress=lambda *step: told.append(step))
    assert told == [("data.csv", (folder / "data.csv").stat().st_size, (folder / "data.csv").stat().st_size)]


def test_a_report_survives_being_written_down() -> None:
    report = FileReport(source="s", path="p", rows=3)
    assert FileReport.from_dict(report.to_dict()) == report
    assert IngestReport((report, report), 1.0).to_dict()["rows"] == 6


def test_rows_of_one_moment_are_repeated_when_their_file_is_read_again(tmp_path: Path, store: Store) -> None:
    file = tmp_path / "data.csv"
    # On 2026-03-29 the clock goes from 02:00 to 03:00, so that these two are one moment.
    file.write_text(HEADER + "p1,2026-03-29 02:30:00,1,\np1,2026-03-29 03:30:00,2,\n")
    first = only(ingest(tmp_path, store, {"time_zone": "Europe/Berlin"}))
    with file.open("a") as more:
        more.write("p1,2026-03-29 04:30:00,3,\n")
    grown = only(ingest(tmp_path, store, {"time_zone": "Europe/Berlin"}))

    assert (first.accepted, first.corrected) == (2, 1)
    assert (grown.accepted, grown.repeated, grown.corrected) == (1, 2, 0)
    assert values(store) == [2.0, 3.0]


def test_a_failure_ahead_of_the_present_in_the_plant_file_is_turned_away(folder: Path, store: Store) -> None:
    told = [
        {"machine": "p1", "kind": kind, "time": datetime(2027, 1, 1, tzinfo=UTC)} for kind in ("failure", "maintenance")
    ]
    report = ingest(folder, store, events=told)

    assert [each["kind"] for each in happened(store)] == ["maintenance"]
    assert [(each.line, each.column) for each in report.files[-1].rejections] == [(1, "events.time")]


@pytest.mark.parametrize("column", ["code", "component"])
def test_an_event_whose_text_no_database_can_keep_is_turned_away_alone(folder: Path, store: Store, column: str) -> None:
    (folder / "stops.csv").write_text(f"machine,at,{column}\np1,2026-01-02,jam\np1,2026-01-03,ja\0m\n")
    mapping = {"kind": "stop", "time": "at", column: column}
    report = only(ingest(folder, store, {"path": "stops.csv", "time": None, "events": [mapping]}))

    assert [each[column] for each in happened(store)] == ["jam"]
    assert (report.events_added, report.rejected) == (1, 1)
    (said,) = report.rejections
    assert (said.line, said.column, said.reason) == (3, column, "U+0000 at place 3 cannot be kept; leave it out")
