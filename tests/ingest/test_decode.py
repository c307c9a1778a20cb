"""What becomes of rows, whatever they came in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.csv import decode_csv
from ingest.decode.json import decode_json
from ingest.decode.mapping import resolve
from ingest.decode.number import numbers
from ingest.decode.reject import Rejects
from ingest.decode.rows import Decoded, RowDecoder, failures
from ingest.decode.time import times
from ingest.errors import SourceError
from ingest.plant import Machine, MachineClass, Plant, Signal, Source

NOW = datetime(2038, 1, 1, tzinfo=UTC)
PLANT = Plant(
    old_after=timedelta(days=36500),
    classes=[
        MachineClass(name="press", signals=[Signal(name="force", unit="kN", range=(0, 100)), Signal(name="heat")]),
        MachineClass(name="pump", signals=[Signal(name="flow"), Signal(name="heat")]),
    ],
    machines=[
        Machine(name="p1", machine_class="press"),
        Machine(name="17", machine_class="press"),
        Machine(name="q1", machine_class="pump"),
        Machine(name="a/3", machine_class="press"),
    ],
)


def decode(columns: Mapping[str, Any], **keys: Any) -> Decoded:
    table = pa.table(dict(columns))
    source = Source.model_validate({"name": "s", "path": "-", "machine": "machine", "time": "time", **keys})
    decoder = RowDecoder(PLANT, resolve(source, PLANT, tuple(table.column_names), "file"), now=NOW)
    return decoder.decode(table)


def cells(decoded: Decoded, number: int = 0) -> dict[str, list[Any]]:
    return dict(decoded.readings[number].table.drop_columns(["arrived"]).to_pydict())


def reasons(decoded: Decoded) -> list[tuple[int, str, str]]:
    return [(each.line, each.column, each.reason) for each in decoded.rejections]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_rows_become_one_table_for_each_class() -> None:
    decoded = decode(
        {
            "machine": ["p1", "q1"],
            "time": ["2026-01-01T00:00:00Z", "2026-01-01 00:01"],
            "force": [1.0, None],
            "heat": [2.0, 3.0],
            "flow": [None, 4.0],
        }
    )
    assert [each.machine_class for each in decoded.readings] == ["press", "pump"]
    assert cells(decoded, 1) == {"machine": ["q1"], "time": [at("2026-01-01T00:01")], "flow": [4.0], "heat": [3.0]}
    assert decoded.readings[0].table["arrived"].to_pylist() == [NOW]


def test_text_in_a_number_turns_the_cell_away_and_keeps_the_row() -> None:
    decoded = decode(
        {"machine": ["p1"] * 3, "time": ["2026-01-01"] * 3, "force": ["1", "high", " 2 "], "heat": ["5", "6", "NaN"]}
    )
    assert cells(decoded)["force"] == [1.0, None, 2.0]
    assert cells(decoded)["heat"] == [5.0, 6.0, None]
    assert reasons(decoded) == [(2, "force", "text where a number should be")]
    assert decoded.rejections[0].value == "high"


def test_nothing_is_missing_and_infinity_is_a_mistake() -> None:
    decoded = decode(
        {"machine": ["p1"] * 4, "time": ["2026-01-01"] * 4, "heat": [1.0, float("nan"), float("inf"), None]}
    )
    assert cells(decoded)["heat"] == [1.0]
    assert [each[0] for each in reasons(decoded)] == [3]
    assert (decoded.used, decoded.missing, decoded.rejected) == (1, 3, 1)


def test_a_value_outside_the_range_is_turned_away_alone() -> None:
    decoded = decode({"machine": ["p1"], "time": ["2026-01-01"], "force": [101.0], "heat": [1.0]})
    assert cells(decoded)["force"] == [None]
    assert reasons(decoded) == [(1, "force", "outside the range of 'force': 0 to 100 kN")]


def test_a_row_needs_a_known_machine_and_a_time() -> None:
    decoded = decode(
        {
            "machine": ["p1", None, "p11", "p1"],
            "time": [None, "2026-01-01", "2026-01-01", "2026-01-02"],
            "heat": [1.0, 2.0, 3.0, 4.0],
        }
    )
    assert cells(decoded)["heat"] == [4.0]
    assert sorted(reasons(decoded)) == [
        (1, "time", "no time is given"),
        (2, "machine", "no machine is named"),
        (3, "machine", "the plant has no machine 'p11'; did you mean 'p1'?"),
    ]


def test_other_machines_can_be_ignored() -> None:
    decoded = decode({"machine": ["p2", "p1"], "time": ["2026-01-01"] * 2, "heat": [1, 2]}, other_machines="ignore")
    assert (decoded.ignored, decoded.rejected, decoded.used) == (1, 0, 1)


@pytest.mark.parametrize(
    ("machine", "columns"),
    [
        ([17], ["machine"]),
        ([17.0], ["machine"]),
        (["17"], ["machine"]),
        ([" 17 "], ["machine"]),
        (pa.array(["17"]).dictionary_encode(), ["machine"]),
        (pa.array([17], pa.int16()), ["machine"]),
    ],
)
def test_whole_numbers_name_machines_plainly(machine: Any, columns: list[str]) -> None:
    assert cells(decode({"machine": machine, "time": ["2026-01-01"], "heat": [1]}))["machine"] == ["17"]


def test_several_columns_name_a_machine_together() -> None:
    columns = {"line": ["a", "a", None], "number": [3, 4, 3], "time": ["2026-01-01"] * 3, "heat": [1, 2, 3]}
    decoded = decode(columns, machine=["line", "number"])
    assert cells(decoded)["machine"] == ["a/3"]
    assert sorted(row for row, _, _ in reasons(decoded)) == [2, 3]


@pytest.mark.parametrize(
    ("given_times", "time_format"),
    [
        (["2026-01-31 06:30:00"], "iso"),
        (["2026-01-31T06:30:00.000"], "iso"),
        (["2026-01-31T07:30:00+01:00"], "iso"),
        (["31.01.2026 06:30"], "%d.%m.%Y %H:%M"),
        ([1769841000], "s"),
        (["1769841000.0"], "s"),
        ([1769841000.0], "s"),
        ([1769841000_000], "ms"),
        ([1769841000_000_000], "us"),
        ([1769841000_000_000_000], "ns"),
        (pa.array([datetime(2026, 1, 31, 6, 30)]), "iso"),  # noqa: DTZ001 - as files have it
        (pa.array([datetime(2026, 1, 31, 6, 30, tzinfo=UTC)], pa.timestamp("ns", "Europe/Berlin")), "iso"),
        ([202601310630], "%Y%m%d%H%M"),
    ],
)
def test_a_time_is_the_same_however_it_is_written(given_times: Any, time_format: str) -> None:
    decoded = decode({"machine": ["p1"], "time": given_times, "heat": [1]}, time_format=time_format)
    assert cells(decoded)["time"] == [at("2026-01-31T06:30")]


def test_microseconds_of_an_epoch_are_kept() -> None:
    read = times(pa.chunked_array([[1769841000_123_456]]), "time", Rejects(), "us")
    assert read.microseconds.tolist() == [1769841000_123_456]


def test_a_second_time_format_is_turned_away_by_name() -> None:
    decoded = decode(
        {"machine": ["p1"] * 3, "time": ["2026-01-31 06:30", "31.01.2026 06:30", "2026-02-01"], "heat": [1, 2, 3]}
    )
    assert cells(decoded)["heat"] == [1.0, 3.0]
    (reason,) = reasons(decoded)
    assert reason[0] == 2
    assert "two time formats" in reason[2]
    assert "'%d.%m.%Y %H:%M'" in reason[2]


def test_numbers_in_place_of_iso_times_say_which_format_they_may_be() -> None:
    decoded = decode({"machine": ["p1"], "time": [1769841000_000], "heat": [1]})
    assert reasons(decoded) == [(1, "time", "a number, not a time as 'iso'; it looks like time_format = 'ms'")]


def test_an_unlikely_year_is_turned_away() -> None:
    decoded = decode({"machine": ["p1"], "time": [1769841000_000_000], "heat": [1]}, time_format="s")
    assert "before 1900 or after 2199" in reasons(decoded)[0][2]


def test_a_cycle_counts_from_its_start() -> None:
    columns = {"machine": ["p1"] * 2, "cycle": [3, None], "heat": [1, 2]}
    decoded = decode(columns, time=None, cycle="cycle", cycle_length="90 min")
    assert cells(decoded)["time"] == [at("2000-01-01T04:30")]
    assert reasons(decoded) == [(2, "cycle", "no time is given")]


def test_long_rows_spread_to_one_row_for_each_time() -> None:
    decoded = decode(
        {
            "machine": ["p1", "p1", "p1", "q1", "p1"],
            "time": ["2026-01-01"] * 4 + ["2026-01-02"],
            "signal": ["force", "heat", "forse", "flow", "force"],
            "value": ["1", "2", "3", "4", "x"],
        },
        signal_column="signal",
        value_column="value",
    )
    assert cells(decoded, 0) == {"machine": ["p1"], "time": [at("2026-01-01")], "force": [1.0], "heat": [2.0]}
    assert cells(decoded, 1)["flow"] == [4.0]
    assert sorted((line, column) for line, column, _ in reasons(decoded)) == [(3, "signal"), (5, "value")]
    assert any("did you mean 'force'" in reason for _, _, reason in reasons(decoded))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"signals": {"heat": "haet"}}, "no column 'haet'"),
        ({"time": "tmie"}, "did you mean 'time'?"),
        ({"machine": "asset"}, "the columns are: machine, time, heat"),
        ({"machine": []}, "names no machine"),
        ({"time": None}, "names no time"),
    ],
)
def test_a_missing_column_is_named_with_those_that_are_there(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match="file: ") as error:
        decode({"machine": ["p1"], "time": ["2026-01-01"], "heat": [1]}, **keys)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_delimiter_is_suspected() -> None:
    with pytest.raises(SourceError, match="may need another delimiter"):
        decode({"machine;time;heat": ["p1;2026-01-01;1"]})


def test_decimal_commas_are_read_where_declared_and_named_where_not() -> None:
    columns = {"machine": ["p1", "p1"], "time": ["2026-01-01", "2026-01-02"], "heat": ["1,5", "2.5"]}
    assert cells(decode(columns, decimal=","))["heat"] == [1.5]
    assert "decimal = ','" in reasons(decode(columns))[0][2]


# Europe/Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00


def utc_hours(local: list[str], machines: list[str] | None = None, zone: str = "Europe/Berlin") -> list[str]:
    names = machines or ["p1"] * len(local)
    decoded = decode({"machine": names, "time": local, "heat": range(len(local))}, time_zone=zone)
    return [time.strftime("%d %H:%M") for time in cells(decoded)["time"]]


def test_a_repeated_hour_is_the_first_pass_until_the_machine_steps_back() -> None:
    local = ["2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 02:30"]
    assert utc_hours([*local, "2026-10-25 03:00"]) == [
        "24 23:30", "25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00",
    ]  # fmt: skip


def test_one_machine_stepping_back_does_not_move_another() -> None:
    local = ["2026-10-25 02:30", "2026-10-25 02:10", "2026-10-25 02:20"]
    assert utc_hours(local, ["p1", "p1", "17"]) == ["25 00:30", "25 01:10", "25 00:20"]


def test_the_second_pass_is_remembered_from_one_table_to_the_next() -> None:
    source = Source(name="s", path="-", machine=["machine"], time="time", time_zone="Europe/Berlin")
    decoder = RowDecoder(PLANT, resolve(source, PLANT, ("machine", "time", "heat"), "file"), now=NOW)
    first = pa.table({"machine": ["p1"], "time": ["2026-10-25 02:50"], "heat": [1]})
    second = pa.table({"machine": ["p1"], "time": ["2026-10-25 02:10"], "heat": [1]})
    assert cells(decoder.decode(first))["time"] == [at("2026-10-25T00:50")]
    assert cells(decoder.decode(second))["time"] == [at("2026-10-25T01:10")]


def test_a_time_that_never_was_is_read_with_the_offset_before() -> None:
    assert utc_hours(["2026-03-29 01:59", "2026-03-29 02:30", "2026-03-29 03:00"]) == [
        "29 00:59", "29 01:30", "29 01:00",
    ]  # fmt: skip


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001 - a wall clock
)
@settings(max_examples=150, deadline=None)
def test_local_times_agree_with_the_standard_library(zone: str, local: datetime) -> None:
    from zoneinfo import ZoneInfo

    expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    decoded = decode({"machine": ["p1"], "time": pa.array([local]), "heat": [1]}, time_zone=zone)
    assert cells(decoded)["time"] == [expected]


def events(columns: Mapping[str, Any], mapping: dict[str, Any]) -> list[tuple[Any, ...]]:
    decoded = decode(columns, events=[mapping])
    return [
        (
            row["machine"],
            row["time"].hour,
            None if row["end"] is None else row["end"].hour,
            row["component"],
            row["code"],
        )
        for row in pa.Table.from_pandas(decoded.events).to_pylist()
    ]


def hours(*numbers: int) -> list[str]:
    return [f"2026-01-01 {number:02}:00" for number in numbers]


def test_each_row_is_an_event_of_its_component_and_code() -> None:
    columns = {
        "machine": ["p1", "17"],
        "time": hours(1, 2),
        "part": ["belt", None],
        "mode": [7, 8],
        "over": [*hours(3), None],
    }
    mapping = {"kind": "failure", "component": "part", "code": "mode", "end": "over"}
    assert events(columns, mapping) == [("p1", 1, 3, "belt", "7"), ("17", 2, None, "", "8")]


def test_the_product_of_a_count_is_its_component() -> None:
    columns = {"machine": ["p1", "p1"], "time": hours(1, 1), "article": ["cap", "lid"], "pieces": [5, 7]}
    mapping = {"kind": "count", "product": "article", "code_is": "good", "value": "pieces"}
    assert events(columns, mapping) == [("p1", 1, None, "cap", "good"), ("p1", 1, None, "lid", "good")]


def test_only_rows_with_one_of_the_values_are_events() -> None:
    columns = {"machine": ["p1"] * 3, "time": hours(1, 2, 3), "what": ["stop", "go", "fail"]}
    mapping = {"kind": "stop", "where": {"what": ["stop", "fail"]}, "component_is": "drive"}
    assert events(columns, mapping) == [("p1", 1, None, "drive", ""), ("p1", 3, None, "drive", "")]


def test_a_run_of_flagged_rows_is_one_event_for_each_machine() -> None:
    columns = {
        "machine": ["p1", "p1", "17", "p1", "p1", "17", "p1"],
        "time": hours(1, 2, 2, 3, 4, 5, 6),
        "bad": [0, 1, 1, 1, float("nan"), 0, 1],
    }
    assert events(columns, {"kind": "failure", "flag": "bad"}) == [("p1", 2, 3, "", ""), ("17", 2, 2, "", "")]


@given(st.lists(st.tuples(st.sampled_from(["p1", "17"]), st.booleans()), min_size=1, max_size=20), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_flagged_runs_do_not_depend_on_how_the_file_is_cut(rows: list[tuple[str, bool]], size: int) -> None:
    keys = {"name": "s", "path": "-", "machine": "machine", "time": "time", "time_format": "s"}
    source = Source.model_validate({**keys, "events": [{"kind": "failure", "flag": "bad"}]})
    table = pa.table(
        {"machine": [name for name, _ in rows], "time": list(range(len(rows))), "bad": [int(bad) for _, bad in rows]}
    )

    def found(step: int) -> set[tuple[Any, ...]]:
        decoder = RowDecoder(PLANT, resolve(source, PLANT, tuple(table.column_names), "file"), now=NOW)
        parts = [decoder.decode(table.slice(offset, step)).events for offset in range(0, len(rows), step)]
        return {(row.machine, row.time, row.end) for part in [*parts, decoder.finish()] for row in part.itertuples()}

    assert found(size) == found(len(rows))


def test_run_to_failure_fails_at_the_newest_row() -> None:
    table = failures({"p1": 3_600_000_000})
    assert (table.loc[0, "machine"], table.loc[0, "kind"], table.loc[0, "time"]) == (
        "p1", "failure", datetime(1970, 1, 1, 1, tzinfo=UTC),
    )  # fmt: skip


WIDE = [{"machine": "p1", "time": "2026-01-01T00:00:00Z", "force": 1, "heat": 2.5}]
LONG = [
    {"machine": "p1", "time": "2026-01-01T00:00:00Z", "signal": "force", "value": 1},
    {"machine": "p1", "time": "2026-01-01T00:00:00Z", "signal": "heat", "value": 2.5},
]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(WIDE),
        json.dumps(WIDE[0]),
        json.dumps({"readings": WIDE}),
        json.dumps({name: [value] for name, value in WIDE[0].items()}),
        json.dumps(LONG),
    ],
)
def test_json_rows_columns_and_long_rows_are_the_same_readings(body: str) -> None:
    decoded = decode_json(body.encode(), PLANT, now=NOW)
    assert cells(decoded) == {"machine": ["p1"], "time": [at("2026-01-01")], "force": [1.0], "heat": [2.5]}
    assert decoded.rejections == []


def test_csv_bodies_are_wide_or_long() -> None:
    wide = decode_csv(b"machine,time,force\np1,2026-01-01,1\np1,2026-01-02,x\n", PLANT, now=NOW)
    long = decode_csv(b"machine;time;signal;value\np1;2026-01-01;force;1\n", PLANT, now=NOW, delimiter=";")
    assert cells(wide)["force"] == cells(long)["force"] == [1.0]
    assert reasons(wide) == [(3, "force", "text where a number should be")]


def test_a_wrong_cell_in_json_does_not_spoil_the_others() -> None:
    rows = [*WIDE, {**WIDE[0], "force": "many", "heat": True, "machine": "q1"}, {**WIDE[0], "force": 10**400}]
    decoded = decode_json(json.dumps(rows).encode(), PLANT, now=NOW)
    assert decoded.readings[0].table["force"].to_pylist()[0] == 1.0
    assert {(each.line, each.column) for each in decoded.rejections} == {(2, "force"), (2, "heat"), (3, "force")}


def test_a_signal_that_the_class_does_not_have_is_turned_away() -> None:
    decoded = decode_json(json.dumps([{**WIDE[0], "haet": 1}]).encode(), PLANT, now=NOW)
    assert reasons(decoded) == [(1, "haet", "class 'press' has no signal 'haet'; did you mean 'heat'?")]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"3", b"[1]", b'{"machine": ["p1"], "time": []}', b'[{"time": 1}]', b"[" * 100_000]
)
def test_a_body_without_rows_gets_one_line(body: bytes) -> None:
    with pytest.raises(SourceError, match="body") as error:
        decode_json(body, PLANT, now=NOW)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("body", [b"", b"machine,force\np1,1\n", b"machine,machine,time\n"])
def test_a_csv_body_without_rows_gets_one_line(body: bytes) -> None:
    with pytest.raises(SourceError, match="body") as error:
        decode_csv(body, PLANT, now=NOW)
    assert "\n" not in str(error.value)


@given(st.lists(st.one_of(st.none(), st.floats(), st.text(max_size=6), st.integers(-(10**9), 10**9).map(str))))
@settings(max_examples=150, deadline=None)
def test_a_column_of_anything_gives_numbers_or_rejections(values: list[float | str | None]) -> None:
    column = pa.chunked_array([pa.array([None if each is None else str(each) for each in values], pa.string())])
    rejects = Rejects()
    found = numbers(column, "x", rejects)
    turned_away = {each.line - 1 for each in rejects.kept}
    for row, value in enumerate(found.tolist()):
        if value == value:
            assert value == float(str(column[row].as_py()).strip())
            assert abs(value) < float("inf")
            assert row not in turned_away


def test_an_empty_table_gives_nothing() -> None:
    decoded = decode(
        {"machine": pa.array([], pa.string()), "time": pa.array([], pa.string()), "heat": pa.array([], pa.float64())}
    )
    assert (decoded.readings, decoded.rejected, decoded.used) == ([], 0, 0)


def test_arrival_is_the_same_for_all_rows() -> None:
    decoded = decode({"machine": ["p1"] * 2, "time": hours(1, 2), "heat": [1, 2]})
    assert set(decoded.readings[0].table["arrived"].to_pylist()) == {NOW}
    assert timedelta(0) < NOW - cells(decoded)["time"][0]


def test_half_a_character_in_json_is_turned_away_like_any_other_text() -> None:
    body = json.dumps([{**WIDE[0], "heat": "\ud800", "\ud83d": 1}]).encode()
    assert {each.column for each in decode_json(body, PLANT, now=NOW).rejections} == {"heat", "?"}


@pytest.mark.parametrize(
    ("minutes", "kept"), [(-60, True), (15, True), (15.1, False), (60 * 24 * 1500, False)], ids=str
)
def test_a_reading_ahead_of_its_arrival_is_turned_away(minutes: float, kept: bool) -> None:
    stamp = NOW + timedelta(minutes=minutes)
    decoded = decode({"machine": ["p1", "p1"], "time": [NOW - timedelta(days=1), stamp], "force": [1.0, 2.0]})

    assert decoded.used == 1 + kept
    assert [(each.line, each.column) for each in decoded.rejections] == ([] if kept else [(2, "time")])
    assert all("ahead of its arrival at 2038-01-01 00:00 UTC" in each.reason for each in decoded.rejections)


@pytest.mark.parametrize(("days", "kept"), [(365, True), (366, False), (24_000, False)])
def test_over_http_a_time_is_as_old_as_the_plant_file_believes(days: int, kept: bool) -> None:
    plant = PLANT.model_copy(update={"old_after": timedelta(days=365)})
    row = {"machine": "p1", "time": (NOW - timedelta(days=days)).isoformat(), "force": 1}
    decoded = decode_json(json.dumps([row]).encode(), plant, now=NOW)
    assert (decoded.used, decoded.rejected) == (int(kept), int(not kept))


def test_a_zone_that_is_not_the_plants_shows_as_times_ahead() -> None:
    stamps = {"machine": ["p1"], "time": ["2038-01-01T00:30:00"], "force": [1.0]}

    assert decode(stamps).used == 0
    assert decode(stamps, time_zone="Europe/Berlin").used == 1


@pytest.mark.parametrize("own_time", [True, False])
@pytest.mark.parametrize(("kind", "kept"), [("failure", 1), ("error", 1), ("order", 2), ("maintenance", 2)])
def test_only_what_is_planned_may_lie_ahead(kind: str, kept: int, own_time: bool) -> None:
    columns = {"machine": ["p1", "p1"], "time": [NOW, NOW + timedelta(days=30)]}
    decoded = decode(columns, events=[{"kind": kind, **({"time": "time"} if own_time else {})}])

    assert len(decoded.events) == kept
    assert len(decoded.rejections) == 2 - kept


def test_cycles_are_not_held_against_the_clock() -> None:
    decoded = decode({"machine": ["p1"], "n": [10_000_000], "force": [1.0]}, time=None, cycle="n", cycle_length="1 h")

    assert decoded.used == 1


def test_a_time_in_two_columns_is_read_joined_in_readings_and_events() -> None:
    decoded = decode(
        {
            "machine": ["p1", "p1", "p1", "p1"],
            "Datum": ["31.01.2026", " 31.01.2026 ", "31.01.2026", "32.01.2026"],
            "Uhr": ["06:00", "06:01", "", "06:03"],
            "Bis": ["07:00", "", "07:00", "07:00"],
            "heat": ["1", "2", "3", "4"],
        },
        time=["Datum", "Uhr"],
        time_format="%d.%m.%Y %H:%M",
        signals={"heat": "heat"},
        events=[{"kind": "stop", "end": ["Datum", "Bis"]}, {"kind": "state", "time": ["Datum", "Bis"]}],
    )
    assert cells(decoded)["time"] == [at("2026-01-31T06:00"), at("2026-01-31T06:01")]
    stops = decoded.events[decoded.events["kind"] == "stop"]
    assert [str(end) for end in stops["end"]] == ["2026-01-31 07:00:00+00:00", "NaT"]
    assert len(decoded.events[decoded.events["kind"] == "state"]) == 2
    assert (3, "Datum + Uhr", "no time is given") in reasons(decoded)
    assert any(line == 4 and "not a time as" in why for line, _, why in reasons(decoded))


def test_a_missing_part_of_a_time_is_named() -> None:
    with pytest.raises(SourceError, match="no column 'Uhr' \\(source 's', time\\)"):
        decode({"machine": ["p1"], "Datum": ["2026-01-01"], "heat": [1.0]}, time=["Datum", "Uhr"])


def test_a_day_and_a_time_of_day_of_their_own_types_are_joined() -> None:
    moment = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
    decoded = decode(
        {"machine": ["p1"], "day": [moment.date()], "clock": [moment.time()], "heat": [1.0]}, time=["day", "clock"]
    )
    assert cells(decoded)["time"] == [moment]
