import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from math import log, log2
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import lake, segment
from ingest.decimals import kinds_of
from ingest.errors import StoreBusyError, StoreError
from ingest.folder import open_file
from ingest.lake import Lake
from ingest.merge import conform, merge
from ingest.reading import DAY, Readings
from ingest.segment import Selection, read_segment, row_groups, write_segment
from ingest.span_tree import MOST_OF_ALL, cut, plan
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, Kept

MakeReadings = Callable[..., Readings]


KEPT = EVERYWHERE


@dataclass(frozen=True)
class Piece:
    rows: int
    first: int
    newest: int
    sequence: int


days_strategy = st.lists(st.integers(-40, 400), min_size=1, max_size=200)


@given(days_strategy, st.integers(1, 50))
@settings(deadline=None)
def test_runs_of_days_hold_every_row_once_and_nest_or_are_apart(days: list[int], target: int) -> None:
    runs = cut(np.array(days), [], target)
    assert sorted(day for day in days) == sorted(day for low, high in runs for day in days if low <= day <= high)
    for low, high in runs:
        held = sum(low <= day <= high for day in days)
        assert held <= target or low == high
        level = (low ^ high).bit_length()
        assert low >> level == high >> level
    assert all(before[1] < after[0] for before, after in pairwise(runs))


@given(st.lists(st.tuples(st.integers(-20, 60), st.integers(1, 30)), max_size=40), st.integers(1, 60))
@settings(deadline=None)
def test_rewriting_comes_to_an_end_and_leaves_few_files(batches: list[tuple[int, int]], target: int) -> None:
    held: list[Piece] = []
    for sequence, (day, rows) in enumerate(batches):
        held.append(Piece(rows, day * DAY, day * DAY + 1, sequence))
        for _ in range(50):
            work = plan(held, target)
            if not work:
                break
            for each in work:
                whole = Piece(
                    sum(piece.rows for piece in each.pieces),
                    min(piece.first for piece in each.pieces),
                    max(piece.newest for piece in each.pieces),
                    max(piece.sequence for piece in each.pieces),
                )
                others = [piece for piece in held if piece not in each.pieces]
                between = [
                    piece
                    for piece in others
                    if piece.first <= whole.newest
                    and piece.newest >= whole.first
                    and min(one.sequence for one in each.pieces) < piece.sequence < whole.sequence
                ]
                assert len(each.pieces) == 1 if each.split else not between
                if each.split:
                    middle = (whole.first // DAY + whole.newest // DAY + 1) // 2 * DAY
                    half = max(1, whole.rows // 2)
                    others += [
                        Piece(half, whole.first, middle - 1, whole.sequence),
                        Piece(half, middle, whole.newest, whole.sequence),
                    ]
                else:
                    others.append(whole)
                held = others
        else:
            pytest.fail("rewriting does not end")


def table_of(machines: list[str], values: Sequence[float | None]) -> pa.Table:
    count = len(machines)
    times = pa.array(range(count), pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return conform(pa.table({"machine": machines, "time": times, "arrived": times, "a": values}), ["a"])


def test_a_null_does_not_overwrite_and_a_later_value_does() -> None:
    early, late = table_of(["m"], [1.0]), table_of(["m"], [None])
    assert merge(pa.concat_tables([early, late])).table["a"].to_pylist() == [1.0]
    merged = merge(pa.concat_tables([early, late, table_of(["m"], [3.0])]))
    assert merged.table["a"].to_pylist() == [3.0]
    assert (merged.repeated.tolist(), merged.corrected.tolist()) == ([False, True, False], [False, False, True])


def test_a_row_group_ends_where_a_machine_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "ROWS_IN_A_GROUP", (3, 5))
    machines = ["a"] * 2 + ["b"] * 2 + ["c"] * 12 + ["d"]
    assert row_groups(table_of(machines, [1.0] * 17)) == [(0, 4), (4, 5), (9, 5), (14, 2), (16, 1)]


def test_a_value_too_large_to_be_rounded_is_kept(tmp_path: Path) -> None:
    table = table_of(["m", "m"], [1.7e308, -1.7e308])

    written = write_segment(tmp_path / "huge", [table], kinds_of(table, ["a"]))

    assert written is not None
    with open_file(tmp_path / "huge") as file:
        assert read_segment(file, Selection(("a",)), written.sums)["a"].to_pylist() == [1.7e308, -1.7e308]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.25, 3.5], pa.decimal32(3, 2)),
        ([1.5, 123_456_789.25], pa.decimal64(11, 2)),
        ([1 / 3, 2 / 7], pa.float64()),
        ([-0.0, 1.5], pa.float64()),
    ],
    ids=["few decimals", "many digits", "doubles", "minus zero"],
)
def test_readings_of_few_decimals_are_decimals_in_the_file_and_come_back_bit_for_bit(
    tmp_path: Path, values: list[float], kind: pa.DataType
) -> None:
    table = table_of(["m", "m"], values)

    written = write_segment(tmp_path / "file", [table], kinds_of(table, ["a"]))

    assert written is not None
    assert pq.read_schema(tmp_path / "file").field("a").type == kind
    with open_file(tmp_path / "file") as file:
        found = read_segment(file, Selection(("a",)), written.sums)["a"].to_numpy()
    assert found.tobytes() == np.array(values).tobytes()


def test_a_file_of_nothing_is_not_written(tmp_path: Path) -> None:
    assert write_segment(tmp_path / "nothing", [table_of([], [])], {}) is None
    assert list(tmp_path.iterdir()) == []


def test_readers_see_whole_batches_while_files_are_merged_under_them(
    tmp_path: Path, make_readings: MakeReadings, kept_files: Kept
) -> None:
    writer, reader = kept_files.open(tmp_path, rows_in_a_segment=10), kept_files.open(tmp_path)
    over = threading.Event()

    def write() -> None:
        for number in range(12):
            rows = [(f"m{machine}", float(machine * 700 + number), {"a": 1.0}) for machine in range(4)]
            writer.append(make_readings(rows), source="s", position=f"{number}")
            writer.seal()
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = [0]
    while not over.is_set():
        seen.append(reader.read("press").table.num_rows)
    thread.join()
    assert all(before <= after and after % 4 == 0 for before, after in pairwise(seen))
    assert reader.read("press").table.num_rows == 48
    writer.close()
    reader.close()


def test_a_lost_file_is_one_line(store: Store, make_readings: MakeReadings, kept: Kept) -> None:
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    store.seal()
    place = kept.place(store.folder)
    place.remove(place.paths()[0])
    with pytest.raises(StoreError, match="in the catalogue but not there"):
        store.read("press")


def test_only_one_process_seals(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "WAIT_SECONDS", 0.05)
    with FileLock(f"{store.folder / 'lake'}.lock"), pytest.raises(StoreBusyError, match="another process"):
        store.seal()


def test_a_class_may_have_any_name(store: Store, make_readings: MakeReadings, kept: Kept) -> None:
    rows = make_readings([("m1", 0, {"a": 1.0})], machine_class="../a/ü b")
    store.append(rows, source="s", position="1")
    store.seal()
    assert store.read("../a/ü b").table.num_rows == 1
    assert len(kept.place(store.folder).paths()) == 1


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=12), st.integers(1, 300))
@example([10], 300)
@example([253, 253, 253, 165], 300)
@example([1, 1, 1, 10**6], 300)
@settings(deadline=None)
def test_a_busy_day_has_few_files_and_is_written_again_a_few_times_only(sizes: list[int], count: int) -> None:
    held: list[Piece] = []
    rewritten = 0
    came = list(islice(cycle(sizes), count))
    for sequence, rows in enumerate(came):
        held.append(Piece(rows, 0, 1, sequence))
        while work := plan(held, 1):
            for each in work:
                together = sum(piece.rows for piece in each.pieces)
                rewritten += together
                held = [piece for piece in held if piece not in each.pieces] + [Piece(together, 0, 1, sequence)]
    assert sum(piece.rows for piece in held) == sum(came)
    assert len(held) <= 4 + 2 * log2(sum(came))
    assert rewritten <= sum(came) * log(sum(came)) / log(1 / MOST_OF_ALL)


def test_what_comes_while_it_is_sealed_waits_for_the_next_sealing(
    store: Store, make_readings: MakeReadings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or sealing would never end under a stream, and leave a small file for each second of it."""
    write, came = Lake._write, 0

    def write_while_more_comes(self: Lake, *arguments: Any, **named: Any) -> Any:
        nonlocal came
        if came < 20:
            came += 1
            more = [(f"m{number}", 60 * came, {"a": 1.0}) for number in range(100)]
            store.append(make_readings(more), source="s", position=f"meanwhile {came}")
        return write(self, *arguments, **named)

    monkeypatch.setattr(Lake, "_write", write_while_more_comes)
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="before")

    report = store.seal()

    assert report.rows == 1
    assert came == 1
    assert store.rows("press") == 101


def test_a_correction_is_not_undone_when_what_it_corrected_is_merged_with_newer_files(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    """The file with the correction spans two days and is split when the others of its day are merged."""
    with_little_files = Store(tmp_path / "data", rows_in_a_segment=100)

    def seal(rows: list[tuple[int, float]]) -> None:
        readings = make_readings([("m1", minute, {"a": value}) for minute, value in rows])
        with_little_files.append(readings, source="s", position=str(rows))
        with_little_files.seal()

    seal([(minute, 1.0) for minute in range(10)])
    seal([(0, 2.0), *((1_440 + minute, 5.0) for minute in range(10))])
    for first, count in ((100, 2), (200, 40), (300, 50)):
        seal([(first + minute, 5.0) for minute in range(count)])

    assert with_little_files.read("press").table["a"][0].as_py() == 2.0


@dataclass(frozen=True)
class Filled(Piece):
    """A piece, and which batch each of its rows is of, by (day, minute)."""

    content: tuple[tuple[tuple[int, int], int], ...]


def filled(content: dict[tuple[int, int], int], sequence: int) -> Filled:
    days = [day for day, _ in content]
    return Filled(len(content), min(days) * DAY, max(days) * DAY + 1, sequence, tuple(content.items()))


def laid_together(pieces: Sequence[Filled]) -> dict[tuple[int, int], int]:
    """What is read of pieces: of each row the one in the file that came last."""
    return {key: batch for each in sorted(pieces, key=lambda each: each.sequence) for key, batch in each.content}


def filed(
    content: dict[tuple[int, int], int], others: Sequence[Filled], sequence: int, target: int
) -> Iterator[Filled]:
    for low, high in cut(np.array([day for day, _ in content]), others, target):
        yield filled({key: batch for key, batch in content.items() if low <= key[0] <= high}, sequence)


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.integers(1, 40)), max_size=40),
    st.integers(1, 100),
)
@example([([0], 10), ([0, 1], 6), ([0], 2), ([0], 40), ([0], 50)], 100)
@settings(deadline=None, max_examples=300)
def test_the_last_arrival_wins_however_files_are_cut_split_and_merged(
    batches: list[tuple[list[int], int]], target: int
) -> None:
    held: list[Filled] = []
    expected: dict[tuple[int, int], int] = {}
    for sequence, (days, rows) in enumerate(batches):
        came = {(day, (minute * 7 * (1 + sequence)) % 101): sequence for day in days for minute in range(rows)}
        expected |= came
        held += filed(came, held, sequence, target)
        while work := plan(held, target):
            for each in work:
                pieces = [piece for piece in held if piece in each.pieces]
                held = [piece for piece in held if piece not in each.pieces]
                newest = max(piece.sequence for piece in pieces)
                content = laid_together(pieces)
                held += filed(content, held, newest, target) if each.split else [filled(content, newest)]
        assert laid_together(held) == expected
