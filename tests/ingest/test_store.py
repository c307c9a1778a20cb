import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.event import listen
from sqlalchemy.schema import CreateTable

from ingest import event_rows, known, log
from ingest.catalogue import METADATA
from ingest.database import open_database
from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery, Receipt, Remembered
from ingest.event import Event, events_table
from ingest.reading import Readings, readings_schema
from ingest.report import Rejection
from ingest.sqlite import SqliteDatabase
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, Kept, put_content

START = datetime(2026, 1, 1, tzinfo=UTC)
MakeReadings = Callable[..., Readings]
Rows = list[tuple[str, int, float | None, float | None]]
Content = dict[tuple[str, datetime], tuple[float | None, float | None]]

rows_strategy = st.lists(
    st.tuples(
        st.sampled_from(["m1", "m2", "m10"]),
        st.integers(min_value=0, max_value=6),
        st.one_of(st.none(), st.sampled_from([1.0, 2.0, -3.5])),
        st.one_of(st.none(), st.sampled_from([1.0, 2.0])),
    ),
    max_size=6,
)
steps_strategy = st.lists(st.one_of(rows_strategy, st.just("seal"), st.just("again")), max_size=14)


KEPT = EVERYWHERE


def at(step: int) -> datetime:
    return START + timedelta(hours=31 * step)


def batch(rows: Rows) -> Readings:
    columns = {
        "machine": [row[0] for row in rows],
        "time": [at(row[1]) for row in rows],
        "arrived": [START] * len(rows),
        "a": [row[2] for row in rows],
        "b": [row[3] for row in rows],
    }
    return Readings("press", pa.table(columns, schema=readings_schema(("a", "b"))))


def content(readings: Readings) -> Content:
    rows = readings.table.select(["machine", "time", "a", "b"]).to_pylist()
    assert [(row["machine"], row["time"]) for row in rows] == sorted({(row["machine"], row["time"]) for row in rows})
    return {(row["machine"], row["time"]): (row["a"], row["b"]) for row in rows}


@settings(max_examples=30, deadline=None)
@given(steps_strategy)
def test_any_sequence_of_batches_and_sealings_reads_as_the_last_arrival_of_each_signal(steps: list[object]) -> None:
    expected: Content = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), rows_in_a_segment=4)
        number = 0
        for step in steps:
            if step == "seal":
                store.seal()
            elif step == "again":
                assert number == 0 or not store.append(batch([("m1", 0, 99.0, 99.0)]), source="s", position=f"{number}")
            elif isinstance(step, list):
                number += 1
                assert store.append(batch(step), source="s", position=f"{number}")
                for machine, hours, a, b in step:
                    before = expected.get((machine, at(hours)), (None, None))
                    expected[machine, at(hours)] = (before[0] if a is None else a, before[1] if b is None else b)
            assert store.spans("press") == spans_in(expected)
        assert content(store.read("press", signals=["a", "b"])) == expected
        part = store.read("press", machines=["m2", "m10"], signals=["a", "b"], start=at(1), end=at(4))
        assert content(part) == {
            key: row for key, row in expected.items() if key[0] != "m1" and at(1) < key[1] <= at(4)
        }
        store.seal()
        assert content(store.read("press", signals=["a", "b"])) == expected
        store.close()


def spans_in(expected: Content) -> dict[str, tuple[datetime, datetime]]:
    times = {name: [time for machine, time in expected if machine == name] for name, _ in expected}
    return {name: (min(each), max(each)) for name, each in times.items()}


@pytest.mark.parametrize("cells", [1, 1_000], ids=["a batch at a time", "many at a time"])
def test_spans_are_the_same_in_a_store_that_comes_later(
    store: Store, make_readings: MakeReadings, kept: Kept, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(log, "CELLS_AT_A_TIME", cells)

    def minute(number: int) -> datetime:
        return START + timedelta(minutes=number)

    store.append(make_readings([("m1", 0, {"a": 1.0}), ("m2", 3, {"a": 1.0})]), source="s", position="1")
    store.seal()
    store.append(make_readings([("m1", 5, {"a": 1.0}), ("m3", 2, {"a": 1.0})]), source="s", position="2")
    store.append(make_readings([("m3", 1, {"b": 1.0})]), source="s", position="3")
    later = kept.open(store.folder)

    spans = later.spans("press")

    later.close()
    assert spans == {"m1": (minute(0), minute(5)), "m2": (minute(3), minute(3)), "m3": (minute(1), minute(2))}
    assert store.spans("press") == spans


def test_spans_told_before_know_of_what_comes_later_whoever_brings_it(
    store: Store, make_readings: MakeReadings, kept: Kept
) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    store.spans("press").clear()
    assert list(store.spans("press")) == ["m1"]
    other = kept.open(store.folder)
    other.append(make_readings([("m1", 7, {"a": 1.0}), ("m2", 3, {"a": 1.0})]), source="s", position="2")
    spans = store.spans("press")
    assert [(name, newest - START) for name, (_, newest) in spans.items()] == [
        ("m1", timedelta(minutes=7)),
        ("m2", timedelta(minutes=3)),
    ]
    other.seal()
    other.close()
    assert store.spans("press") == spans


@pytest.mark.parametrize("kind", ["key", "body"])
def test_a_pushed_position_is_known_and_said_to_be_of_another_content(store: Store, kind: Remembered) -> None:
    def deliver(position: str, digest: str) -> Receipt:
        (receipt,) = store.deliver([Delivery(source="api", position=position, digest=digest, remembered=kind)])
        return receipt

    assert deliver("1", "a") == Receipt(True)
    assert deliver("1", "a") == Receipt(False)
    assert deliver("1", "b") == Receipt(False, other=True)


def test_only_the_newest_pushed_positions_are_known_and_each_kind_has_room_of_its_own(
    tmp_path: Path, database: str
) -> None:
    bodies = [Delivery(source="api", position=f"{each}", remembered="body") for each in range(5)]
    key = Delivery(source="api", position="batch 1", remembered="key")
    lasting = Delivery(source="file", position="file 1")
    readings = open_database(tmp_path / "readings.db", database)
    with readings.write() as connection:
        METADATA.create_all(connection)
        for each in (key, lasting, *bodies):
            known.claim(connection, each)
        known.forget(connection, {"key": 1, "body": 3})
        fresh = [known.claim(connection, each).fresh for each in (lasting, key, *bodies)]
    readings.close()
    assert fresh == [False, False, True, True, False, False, False]


def test_sealing_counts_what_was_repeated_and_what_was_corrected(store: Store, make_readings: MakeReadings) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0}), ("m1", 1, {"a": 2.0})]), source="s", position="1")
    store.seal()
    rows = [("m1", 0, {"a": 1.0}), ("m1", 1, {"a": 3.0}), ("m1", 1, {"b": 5.0}), ("m1", 2, {"a": 4.0})]
    store.append(make_readings(rows), source="s", position="2")

    report = store.seal()

    assert (report.rows, report.repeated, report.corrected) == (4, 1, 1)
    assert report.by_position == {("s", "2"): (1, 1)}
    assert store.read("press").table.to_pydict()["a"] == [1.0, 3.0, 4.0]


def test_a_repeated_batch_adds_no_file(store: Store, make_readings: MakeReadings) -> None:
    rows = make_readings([("m1", 0, {"a": 1.0}), ("m1", 1, {"a": 2.0})])
    store.append(rows, source="s", position="1")
    store.seal()
    before = store.counts()
    store.append(rows, source="s", position="other")
    assert store.seal().segments == 0
    assert (store.counts().readings, store.counts().segments) == (before.readings, before.segments)


def test_a_signal_that_appears_later_is_there_and_null_before(store: Store, make_readings: MakeReadings) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0})], signals=("a",)), source="s", position="1")
    store.seal()
    store.append(make_readings([("m1", 1, {"c": 2.0})], signals=("c",)), source="s", position="2")
    store.seal()
    assert store.read("press").table.select(["a", "c"]).to_pydict() == {"a": [1.0, None], "c": [None, 2.0]}


def test_a_signal_that_never_came_is_null(store: Store, make_readings: MakeReadings) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0})], signals=("a",)), source="s", position="1")
    for _ in range(2):
        assert store.read("press", signals=["z", "a"]).table.select(["z", "a"]).to_pydict() == {"z": [None], "a": [1.0]}
        store.seal()


def test_a_class_without_readings_gives_an_empty_table(store: Store) -> None:
    assert store.read("press", signals=["a"]).table.schema == readings_schema(("a",))
    assert store.spans("press") == {}


def test_hourly_data_does_not_make_a_file_a_day(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = Store(tmp_path)
    for day in range(60):
        hours = [("m1", 60.0 * (24 * day + hour), {"a": float(hour)}) for hour in range(24)]
        store.append(make_readings(hours), source="s", position=f"{day}")
        store.seal()
    assert store.counts().segments < 12
    assert store.read("press").table.num_rows == 60 * 24
    store.close()


def test_dense_data_is_cut_per_day(tmp_path: Path, make_readings: MakeReadings) -> None:
    store = Store(tmp_path, rows_in_a_segment=50)
    rows = [("m1", float(minute), {"a": 1.0}) for minute in range(0, 3 * 1440, 10)]
    store.append(make_readings(rows), source="s", position="1")
    assert store.seal().segments == 3
    store.close()


def test_many_overlapping_files_are_merged(tmp_path: Path, kept_files: Kept, make_readings: MakeReadings) -> None:
    store = kept_files.open(tmp_path, rows_in_a_segment=20)
    for number in range(20):
        rows = [(f"m{number % 3}", float(minute), {"a": float(number)}) for minute in range(number, 2000, 31)]
        store.append(make_readings(rows), source="s", position=f"{number}")
        store.seal()
    assert store.counts().segments <= 12
    assert len(kept_files.place(tmp_path).paths()) == store.counts().segments
    store.close()


def test_a_file_that_no_catalogue_row_names_is_removed_at_the_next_sealing(
    store: Store, make_readings: MakeReadings, kept: Kept
) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    store.seal()
    place = kept.place(store.folder)
    put_content(place, "press/half.parquet", b"PAR1 half a file")
    assert store.read("press").table.num_rows == 1
    store.seal()
    assert "press/half.parquet" not in place.paths()
    assert store.read("press").table.num_rows == 1


def test_two_stores_on_one_folder_see_each_other(tmp_path: Path, make_readings: MakeReadings) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    assert one.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    assert not other.append(make_readings([("m1", 0, {"a": 2.0})]), source="s", position="1")
    other.seal()
    assert one.read("press").table.to_pydict()["a"] == [1.0]
    one.close()
    other.close()


def test_an_event_is_kept_once_and_brought_up_to_date(store: Store) -> None:
    stop = Event(machine="m1", kind="stop", time=START)
    over = Event(machine="m1", kind="stop", time=START, end=START + timedelta(hours=1), value=2.5, note="belt")
    assert store.add_events(events_table([stop]), source="s") == (1, 0)
    assert store.add_events(events_table([over]), source="s") == (0, 1)
    assert store.add_events(events_table([stop]), source="s") == (0, 1)
    pd.testing.assert_frame_equal(store.events(), events_table([over]))


def test_events_are_chosen_by_machine_kind_and_time(store: Store) -> None:
    hours = [START + timedelta(hours=hour) for hour in range(4)]
    table = events_table(
        [
            Event(machine=f"m{number % 2}", kind="error", time=time, code=f"e{number}")
            for number, time in enumerate(hours)
        ]
    )
    store.add_events(table, source="s")
    assert list(store.events(machines=["m0"], kinds=["error"], start=hours[0], end=hours[2])["code"]) == ["e2"]
    assert store.events(kinds=["failure"]).dtypes.equals(table.dtypes)


def test_events_of_many_machines_are_read_some_at_a_time_and_stay_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.event_rows._MACHINES_AT_ONCE", 2)
    machines = [f"m{number}" for number in range(5)]
    hours = [START + timedelta(hours=hour) for hour in (2, 0, 1)]
    table = events_table([Event(machine=machine, kind="error", time=time) for time in hours for machine in machines])
    store.add_events(table, source="s")
    pd.testing.assert_frame_equal(store.events(machines=["m9", *machines, "m0"]), store.events())
    assert store.events(machines=[]).empty


def test_events_of_a_machine_are_sought_and_not_picked_out_of_all(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []
    Store(tmp_path).close()
    with SqliteDatabase(tmp_path / "readings.db").read() as connection:
        listen(connection, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
        event_rows.read(connection, machines=["m7", "m8"], kinds=["error"], start=START)
        statement, values = asked[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert "machine=? AND kind=? AND time>?" in plan[0].detail


def test_of_states_those_that_held_at_the_start_are_given_and_none_before_them(store: Store) -> None:
    hours = [START + timedelta(hours=hour) for hour in range(100)]
    states = [Event(machine="m1", kind="state", time=time, code=code) for time in hours for code in ("a", "b")]
    lone = Event(machine="m2", kind="state", time=hours[98], code="c")
    others = [
        Event(machine="m1", kind="state", time=hours[97], code="door", component="door"),
        Event(machine="m1", kind="error", time=hours[98], code="E1"),
        Event(machine="m3", kind="state", time=hours[97], code="a"),
    ]
    store.add_events(events_table([*states, lone, *others]), source="s")
    at_half_past = hours[97] + timedelta(minutes=30)

    found = store.states(["m2", "m1"], at_half_past, hours[98])
    assert list(zip(found["machine"], found["time"], found["code"], strict=True)) == [
        ("m1", hours[97], "a"),
        ("m1", hours[97], "b"),
        ("m1", hours[98], "a"),
        ("m1", hours[98], "b"),
        ("m2", hours[98], "c"),
    ]
    assert found.dtypes.equals(store.events().dtypes)
    assert store.states(["m9"], hours[0], hours[99]).empty


def test_earlier_states_are_not_read(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []
    Store(tmp_path).close()
    with SqliteDatabase(tmp_path / "readings.db").read() as connection:
        listen(connection, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
        event_rows.states(connection, ["m7"], START, START + timedelta(days=1))
        last, those = asked[-2:]
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in (last, those)
        ]
    assert "machine=? AND kind=? AND time<?" in plans[0][0].detail
    assert len(plans[0]) == 1, "sorted by the index"
    assert "machine=? AND kind=? AND time>? AND time<?" in plans[1][0].detail


def test_rejections_are_counted_by_how_their_reason_begins_and_forgotten_by_position(store: Store) -> None:
    for position, reason in (("p", "100% too old: by a day"), ("q", "100% too old: by a week"), ("q", "1000 too old")):
        store.reject([Rejection(1, "a", "x", reason)], source="s", position=position)

    assert store.rejected_for("100% too old") == {"s": 2}
    store.forget_rejections(source="s", position="q")
    assert [each.reason for each in store.rejections("s")] == ["100% too old: by a day"]


def test_a_rejection_is_kept_once(store: Store) -> None:
    bad = Rejection(3, "a", "abc", "not a number")
    for _ in range(2):
        store.reject([bad], source="s", position="p")
    assert store.rejections("s") == [bad]
    assert store.counts().rejected == 1


@pytest.mark.parametrize("seal", [False, True])
def test_a_span_is_open_at_its_start_and_closed_at_its_end(
    store: Store, make_readings: MakeReadings, seal: bool
) -> None:
    store.append(make_readings([("m1", float(m), {"a": float(m)}) for m in range(4)]), source="s", position="1")
    if seal:
        store.seal()
    span = store.read("press", start=START + timedelta(minutes=1), end=START + timedelta(minutes=3))
    assert span.table.to_pydict()["a"] == [2.0, 3.0]


def test_a_reading_at_the_first_microsecond_of_a_span_is_in_it(store: Store, make_readings: MakeReadings) -> None:
    store.append(make_readings([("m1", 1, {"a": 1.0})]), source="s", position="1")
    moment = START + timedelta(minutes=1)
    for _ in range(2):
        just_before = moment - timedelta(microseconds=1)
        assert store.read("press", start=just_before, end=moment).table.num_rows == 1
        assert store.read("press", start=moment).table.num_rows == 0
        store.seal()


def test_a_rejection_is_kept_whatever_it_quotes(store: Store) -> None:
    """One strange cell must not cost the good rows that came with it."""
    said = Rejection(3, "ma\0chine", "pre\0ss \ud800", "no machine 'pre\0ss'")
    letter = DeadLetter(kind="csv", body=b"pre\0ss", reason=said.reason, arrived=at(0))

    store.deliver([Delivery(source="api", rejections=(said,), dead_letters=(letter,))])
    (kept,) = store.dead_letters()
    store.give_reasons({kept.number: "still no machine 'pre\0ss'"})

    assert store.rejections() == [Rejection(3, "ma\ufffdchine", "pre\ufffdss \ufffd", "no machine 'pre\ufffdss'")]
    assert store.dead_letter(kept.number).letter.body == b"pre\0ss"
    assert store.dead_letter(kept.number).letter.reason == "still no machine 'pre\ufffdss'"


def test_postgresql_never_runs_out_of_numbers() -> None:
    tables = [str(CreateTable(each).compile(dialect=postgresql.dialect())) for each in METADATA.sorted_tables]  # type: ignore[no-untyped-call]

    assert not [each for each in tables if " SERIAL" in each or "batch INTEGER" in each]
