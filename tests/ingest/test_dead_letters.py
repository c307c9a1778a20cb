"""Dead letters: what was not understood is kept, counted, bounded, and read again."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.dead_letter import DeadLetter, LetterCounts
from ingest.decode.again import DECODERS
from ingest.decode.cut import Body, dead_letters
from ingest.delivery import Delivery
from ingest.errors import SourceError, StoreError, UnknownNameError
from ingest.lake import Lake
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.replay import replay
from ingest.store import Store
from tests.ingest.conftest import DATABASES

KEPT = DATABASES

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TIME = "2026-01-01T00:00:00Z"


def plant(*machines: str, top: float = 10.0) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a", range=(0, top)), Signal(name="b")])
    return Plant(classes=[press], machines=[Machine(name=each, machine_class="press") for each in machines])


def row(machine: str = "m1", **cells: Any) -> dict[str, Any]:
    return {"machine": machine, "time": TIME, **cells}


def letter(*rows: dict[str, Any], kind: str = "json") -> DeadLetter:
    return DeadLetter(kind=kind, body=json.dumps(rows).encode(), reason="?", arrived=NOW)


def cut(kind: str, body: bytes, known: Plant) -> list[DeadLetter]:
    came = Body(kind, body, NOW, {"precision": "s"})
    return list(dead_letters(came, DECODERS[kind](body, came.head, known, NOW)))


def arrow_of(rows: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def values(store: Store, signal: str = "a") -> dict[str, float | None]:
    table = store.read("press", signals=["a", "b"]).table
    return dict(zip(table["machine"].to_pylist(), table[signal].to_pylist(), strict=True))


LINES = f"press,machine=m1 a=99,b=5 {int(NOW.timestamp())}\npress,machine=m9 a=1 {int(NOW.timestamp())}\nnonsense"
ROWS = [row(a=99.0, b=5.0), row("m9", a=1.0, b=2.0), row(a=1.0, b=2.0)]
BODIES = {
    "json": json.dumps(ROWS).encode(),
    "csv": f'machine,time,a,b\nm1,{TIME},99,5\n"m9",{TIME},1,2\nm1,{TIME},1,2\nm1,short\n'.encode(),
    "line_protocol": LINES.encode(),
    "arrow": arrow_of(ROWS),
}


@pytest.mark.parametrize("kind", BODIES)
def test_each_part_that_was_turned_away_is_a_letter_that_is_understood_alone_later(kind: str, store: Store) -> None:
    before, after = plant("m1"), plant("m1", "m9", top=100)
    letters = cut(kind, BODIES[kind], before)
    store.deliver([Delivery(source="s", dead_letters=tuple(letters))])

    report = replay(store, after)

    assert len(letters) == (3 if kind in ("csv", "line_protocol") else 2)
    assert report.understood == 2
    assert values(store) == {"m1": 99.0, "m9": 1.0}
    assert len(store.dead_letters()) == len(letters) - 2


@pytest.mark.parametrize("kind", ["json", "csv", "arrow"])
def test_a_cell_is_a_letter_without_its_good_neighbours(kind: str) -> None:
    (cell,) = [
        each for each in cut(kind, BODIES[kind], plant("m1", "m9")) if "a" in each.reason and "range" in each.reason
    ]

    decoded = DECODERS[kind](cell.body, {}, plant("m1", top=100), NOW)

    assert [each.count for each in decoded.readings] == [1]


def test_columns_of_lists_are_cut_as_rows_are() -> None:
    columns = {"readings": {name: [each[name] for each in ROWS] for name in ROWS[0]}}

    assert cut("json", json.dumps(columns).encode(), plant("m1")) == cut("json", BODIES["json"], plant("m1"))


def test_a_long_row_is_a_letter_as_a_whole() -> None:
    body = f"machine,time,signal,value\nm1,{TIME},a,99\nm1,{TIME},c,1\n".encode()

    assert [each.body for each in cut("csv", body, plant("m1"))] == [
        f"machine,time,signal,value\nm1,{TIME},a,99\n".encode(),
        f"machine,time,signal,value\nm1,{TIME},c,1\n".encode(),
    ]


def test_a_line_with_a_string_that_breaks_is_a_letter_as_a_whole_and_takes_no_other_along() -> None:
    body = b'x,machine=m1 a=1 1767225600\nx,machine=m9 a=2,b="up\nper" 1767225600\nx,machine=m8 a=3 1767225600\n'

    assert [each.body for each in cut("line_protocol", body, plant("m1"))] == [
        b'x,machine=m9 a=2,b="up\nper" 1767225600',
        b"x,machine=m8 a=3 1767225600",
    ]


def test_a_body_with_more_mistakes_than_are_listed_is_kept_as_a_whole() -> None:
    body = json.dumps([row(f"x{number}", a=1) for number in range(10_001)]).encode()

    assert [each.body for each in cut("json", body, plant("m1"))] == [body]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"machine": st.sampled_from(["m1", "m9", ""]), "time": st.sampled_from([TIME, "never", ""])},
            optional={name: st.sampled_from([1, 99, "x", None, "ü,\n\"'", True]) for name in ("a", "b", "c", "signal")},
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_turned_away_is_kept_and_is_turned_away_again(rows: list[dict[str, Any]]) -> None:
    body = json.dumps([{"a": None, **each} for each in rows]).encode()
    decoded = DECODERS["json"](body, {}, plant("m1"), NOW)

    letters = cut("json", body, plant("m1"))

    assert bool(letters) == bool(decoded.rejected)
    assert len({each.line for each in decoded.rejections}) <= len(letters) <= decoded.rejected
    assert all(turned_away(each.body) for each in letters)


def turned_away(body: bytes) -> int:
    try:
        return DECODERS["json"](body, {}, plant("m1"), NOW).rejected
    except SourceError:  # a cell alone, of a signal that no class has
        return 1


def test_what_is_understood_arrived_when_its_letter_did(store: Store) -> None:
    store.deliver([Delivery(source="s", dead_letters=(letter(row(a=1)),))])

    replay(store, plant("m1"))

    assert store.read("press").table["arrived"].to_pylist() == [NOW]


def test_what_is_not_understood_stays_with_the_reason_of_today(store: Store) -> None:
    other = DeadLetter(kind="smoke", body=b"\x00", reason="?", arrived=NOW)
    store.deliver([Delivery(source="s", dead_letters=(letter(row("m9", a=1)), other, letter({"x": 1}), letter(row())))])

    for _ in range(2):
        assert replay(store, plant("m1")).staying == 4

    kept = store.dead_letters()
    assert [each.tries for each in kept] == [2, 2, 2, 2]
    assert [each.letter.reason.split(";")[0] for each in kept] == [
        "machine: the plant has no machine 'm9'",
        "letters of kind 'smoke' are for people to look at",
        "the body has no column 'machine' but: x",
        "the body has no column of a signal but: machine, time",
    ]


def test_what_is_understood_in_part_leaves_the_rest_as_a_letter(store: Store) -> None:
    store.deliver([Delivery(source="s", dead_letters=(letter(row("m9", a=99, b=2)),))])

    report = replay(store, plant("m9"))

    assert (report.understood, report.readings, report.staying) == (1, 1, 1)
    assert values(store, "b") == {"m9": 2.0}
    assert [json.loads(each.letter.body) for each in store.dead_letters()] == [[row("m9", a=99)]]
    assert replay(store, plant("m9", top=100)).readings == 1
    assert values(store) == {"m9": 99.0}
    assert store.dead_letters() == []


def came(store: Store, minutes: float, **cells: Any) -> None:
    """Let a reading of m1 at TIME arrive some minutes after NOW."""
    arrived = NOW + timedelta(minutes=minutes)
    decoded = DECODERS["json"](json.dumps([row(**cells)]).encode(), {}, plant("m1", top=100), arrived)
    store.deliver([Delivery(source="s", readings=tuple(decoded.readings))])


def held(store: Store, minutes: float, **cells: Any) -> None:
    """Let a letter of m1 at TIME arrive some minutes after NOW."""
    kept = replace(letter(row(**cells)), arrived=NOW + timedelta(minutes=minutes))
    store.deliver([Delivery(source="s", dead_letters=(kept,))])


@pytest.mark.parametrize("sealed", [False, True])
def test_a_replayed_value_gives_way_to_what_came_after_its_letter_only(store: Store, sealed: bool) -> None:
    came(store, 1, a=1)
    held(store, 2, a=50, b=50)
    came(store, 3, a=3)
    if sealed:
        store.seal()

    replay(store, plant("m1", top=100))

    assert (values(store), values(store, "b")) == ({"m1": 3.0}, {"m1": 50.0})
    store.seal()
    assert (values(store), values(store, "b")) == ({"m1": 3.0}, {"m1": 50.0})
    held(store, 4, a=60)
    replay(store, plant("m1", top=100))
    assert values(store) == {"m1": 60.0}


def test_letters_that_are_replayed_in_any_order_end_with_the_newest(store: Store) -> None:
    held(store, 3, a=30, b=30)
    held(store, 2, a=20)
    held(store, 1, a=10, b=10)
    numbers = [each.number for each in store.dead_letters()]

    replay(store, plant("m1", top=100), numbers=[numbers[0]])
    replay(store, plant("m1", top=100), numbers=numbers[1:])

    assert (values(store), values(store, "b")) == ({"m1": 30.0}, {"m1": 30.0})


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6), st.integers(0, 6))
def test_replayed_or_not_the_value_that_came_last_stays(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], as_letter: list[bool], sealed_after: int
) -> None:
    store = Store(tmp_path_factory.mktemp("data"))
    for minute in range(6):
        (held if as_letter[minute] else came)(store, minute, a=minute)
        if minute == sealed_after:
            store.seal()
    numbers = [each.number for each in store.dead_letters()]

    for place in order:
        if place < len(numbers):
            replay(store, plant("m1", top=100), numbers=[numbers[place]])

    assert values(store) == {"m1": 5.0}
    store.close()


def test_readings_and_their_letter_change_together_or_not_at_all(store: Store) -> None:
    store.deliver([Delivery(source="s", dead_letters=(letter(row(a=1)),))])
    number = store.newest_dead_letter()
    broken = Readings("press", pa.table({"machine": ["m1"]}))

    with pytest.raises(TypeError, match="schema"):
        store.deliver([Delivery(source="s", replayed=(number,)), Delivery(source="s", readings=(broken,))])

    assert store.dead_letter(number).tries == 0


def test_only_letters_of_a_source_or_of_these_numbers_are_replayed(store: Store) -> None:
    for source in "pq":
        store.deliver([Delivery(source=source, dead_letters=tuple(letter(row(a=each)) for each in (1, 2)))])

    assert replay(store, plant("m1"), source="p").understood == 2
    assert replay(store, plant("m1"), numbers=[store.newest_dead_letter()]).understood == 1
    assert [each.source for each in store.dead_letters()] == ["q"]
    with pytest.raises(UnknownNameError, match="no dead letter 99"):
        replay(store, plant("m1"), numbers=[99])


def test_the_same_letter_of_a_source_is_kept_once(store: Store) -> None:
    for source in ("p", "p", "q"):
        store.deliver([Delivery(source=source, dead_letters=(letter(row(a=1)), letter(row(a=1))))])

    assert [each.source for each in store.dead_letters()] == ["p", "q"]
    assert store.dead_letter_counts()["p"].kept == 1


def test_a_repeated_delivery_brings_no_letter_back(store: Store) -> None:
    delivery = Delivery(source="s", position="1", dead_letters=(letter(row(a=1)),))
    store.deliver([delivery])
    assert store.discard_dead_letters([store.newest_dead_letter(), 99]) == 1

    store.deliver([delivery])

    assert store.dead_letters() == []
    assert store.dead_letter_counts()["s"] == LetterCounts(kept=1, discarded=1)


def test_beyond_the_bound_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    store = Store(tmp_path, dead_letter_bytes=1000)
    for number in range(20):
        store.deliver([Delivery(source=f"{number % 2}", dead_letters=(letter(row(a=number)),))])

    held = store.dead_letters()
    counts = store.dead_letter_counts()
    assert [json.loads(each.letter.body)[0]["a"] for each in held] == list(range(20 - len(held), 20))
    assert 3 <= len(held) <= 9
    assert sum(each.held for each in counts.values()) == len(held)
    assert sum(each.dropped for each in counts.values()) == 20 - len(held)
    assert 500 <= sum(each.bytes for each in counts.values()) <= 1000

    store.deliver([Delivery(source="big", dead_letters=(letter(row(a="x" * 1000)),))])

    assert store.dead_letters() == []
    assert store.dead_letter_counts()["big"] == LetterCounts(kept=1, dropped=1)
    store.close()


def test_a_store_of_before_gets_the_tables(tmp_path: Path) -> None:
    from ingest.catalogue import DEAD_LETTER_COUNTS, DEAD_LETTERS
    from ingest.sqlite import SqliteDatabase

    Store(tmp_path).close()
    database = SqliteDatabase(tmp_path / "readings.db")
    with database.write() as connection:
        DEAD_LETTERS.drop(connection)
        DEAD_LETTER_COUNTS.drop(connection)
    database.close()

    store = Store(tmp_path)

    assert (store.dead_letters(), store.dead_letter_counts(), store.newest_dead_letter()) == ([], {}, 0)
    store.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_what_lies_between_two_letters_is_not_held_in_memory(store: Store, sealed: bool) -> None:
    count, first = 100_000, datetime(2026, 1, 1, tzinfo=UTC)
    times = [first + timedelta(seconds=each) for each in range(count)]
    columns = {"machine": ["m1"] * count, "time": times, "arrived": [NOW] * count, "a": [1.0] * count}
    store.append(Readings("press", pa.table(columns, schema=readings_schema(("a",)))), source="s", position="")
    if sealed:
        store.seal()
    rows = [{"machine": "m1", "time": each.isoformat(), "b": 50} for each in (times[0], times[-1])]
    for each in rows:
        store.deliver([Delivery(source="s", dead_letters=(letter(each),))])

    tracemalloc.start()
    report = replay(store, plant("m1", top=100))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert report.understood == 2
    assert most < 100 * count


def test_many_letters_are_replayed_part_by_part(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.replay._AT_ONCE", 10)
    monkeypatch.setattr("ingest.dead_letter_rows._AT_ONCE", 4)
    rows = [{**row(a=1), "time": (NOW - timedelta(minutes=each)).isoformat()} for each in range(25)]
    store.deliver([Delivery(source="s", dead_letters=tuple(letter(each) for each in rows))])

    report = replay(store, plant("m1"))

    assert (report.tried, report.understood) == (25, 25)
    assert store.counts().readings == 25
    assert store.dead_letter_counts()["s"] == LetterCounts(kept=25, replayed=25)


def test_nobody_waits_for_the_lake_while_letters_are_replayed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may lie far away: others write while they are read, and what they wrote counts all the same."""
    came(store, 1, a=1)
    store.seal()
    held(store, 2, a=20, b=20)
    read = Lake.read

    def slowly(*asked: Any) -> pa.Table:
        monkeypatch.setattr(Lake, "read", read)
        other = Thread(target=came, args=(store, 3), kwargs={"a": 3}, daemon=True)
        other.start()
        other.join(10)
        assert not other.is_alive()
        store.seal()
        return read(*asked)

    monkeypatch.setattr(Lake, "read", slowly)
    replay(store, plant("m1", top=100))

    assert (values(store), values(store, "b")) == ({"m1": 3.0}, {"m1": 20.0})


def test_a_letter_whose_neighbours_are_lost_stays_and_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    came(store, 1, a=1)
    store.seal()
    held(store, 2, a=20)
    for file in tmp_path.rglob("*.parquet"):
        file.unlink()

    with pytest.raises(StoreError, match="in the catalogue but not there"):
        replay(store, plant("m1", top=100))

    assert len(store.dead_letters()) == 1
    store.close()
