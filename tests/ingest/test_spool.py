"""The spool: what it acknowledged comes out once, in order, whatever happens to the process and the disk."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError, StoreBusyError
from ingest.event import Event, events_table
from ingest.intake import Inlet
from ingest.reading import Readings
from ingest.report import Rejection
from ingest.spool import Spool
from ingest.spool_mark import Mark, read_mark, write_mark
from ingest.spool_record import framed, from_bytes, to_bytes, whole_records

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MakeReadings = Callable[..., Readings]


def named(name: str, size: int = 0, *, position: str = "", source: str = "s") -> Delivery:
    letter = DeadLetter(kind="smoke", body=os.urandom(size), reason=name, arrived=NOW)
    return Delivery(source=source, position=position, notes={"last": name}, dead_letters=(letter,))


def fill(spool: Spool, *names: str, size: int = 0) -> None:
    for name in names:
        assert spool.put(named(name, size)).result(timeout=10).fresh


def fill_up(spool: Spool, size: int) -> int:
    """Put records named 0, 1, 2 … until the spool refuses; return how many it took."""
    for number in range(1000):
        try:
            fill(spool, f"{number}", size=size)
        except IntakeFullError:
            return number
    raise AssertionError("the spool takes whatever comes")


def names(spool: Spool, most: int = 1 << 30) -> list[str]:
    return [each.delivery.dead_letters[0].reason for each in spool.take(most)]


def drain(spool: Spool, most: int = 1 << 30) -> list[str]:
    found: list[str] = []
    while records := spool.take(most):
        found += [each.delivery.dead_letters[0].reason for each in records]
        spool.settle(records[-1].number)
    return found


def test_a_delivery_comes_out_as_it_went_in(make_readings: MakeReadings) -> None:
    readings = (make_readings([("m1", 0, {"a": 1.5}), ("m2", 1, {"b": 2.0})]), make_readings([], machine_class="pump"))
    events = events_table(
        [
            Event(machine="m1", kind="stop", time=NOW, end=NOW, value=3.0, note="ü\n"),
            Event(machine="m1", kind="failure", time=NOW, component="seal"),
        ]
    )
    letter = DeadLetter(kind="mqtt", body=b"\xff\n\x00", reason="?", arrived=NOW, head={"topic": "a/b"})
    delivery = Delivery(
        source="s",
        readings=readings,
        events=events,
        rejections=(Rejection(3, "a", "x", "no number"),),
        position="p",
        notes={"n": "1"},
        dead_letters=(letter,),
    )

    found = from_bytes(to_bytes(delivery))

    assert [(each.machine_class, each.table) for each in found.readings] == [
        (each.machine_class, each.table) for each in readings
    ]
    assert found.events is not None
    assert found.events.equals(events)
    assert (found.source, found.position, dict(found.notes)) == ("s", "p", {"n": "1"})
    assert (found.rejections, found.dead_letters) == (delivery.rejections, delivery.dead_letters)


def test_what_was_acknowledged_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    spool: Inlet = Spool(tmp_path / "a")
    assert spool.put(named("1")).result(timeout=10) == Receipt(fresh=True)

    shutil.copytree(tmp_path / "a", tmp_path / "b")  # as the disk is at this moment

    with Spool(tmp_path / "b") as other:
        assert drain(other) == ["1"]


def test_the_same_records_are_taken_until_they_are_settled(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        fill(spool, "1", "2", "3")
        assert names(spool, most=1) == ["1"]
        assert names(spool, most=1 << 30) == ["1"]
        spool.settle(1)
        assert names(spool) == ["2", "3"]
        fill(spool, "4")
        assert names(spool) == ["2", "3"]
    with Spool(tmp_path) as again:
        assert names(again, most=1) == ["2", "3"]
        again.replan(2)
        assert names(again) == ["2"]
        again.settle(2)
        assert drain(again) == ["3", "4"]
        assert again.unsettled == 0


def test_nothing_settled_comes_again_and_its_room_is_free(tmp_path: Path) -> None:
    with Spool(tmp_path, file_bytes=4000) as spool:
        for lap in range(20):
            fill(spool, *(f"{lap} {number}" for number in range(10)), size=500)
            assert drain(spool, most=2500) == [f"{lap} {number}" for number in range(10)]
        assert spool.size < 12_000
    with Spool(tmp_path) as again:
        assert again.take(1) == []
        fill(again, "next")
        assert drain(again) == ["next"]


def test_a_known_position_changes_nothing_even_after_its_record_is_gone(tmp_path: Path) -> None:
    with Spool(tmp_path, file_bytes=1000) as spool:
        assert spool.put(named("1", position="p")).result(timeout=10).fresh
        assert not spool.put(named("2", position="p")).result(timeout=10).fresh
        assert spool.put(named("3", position="p", source="t")).result(timeout=10).fresh
        fill(spool, *"45678", size=600)
        assert drain(spool) == ["1", "3", *"45678"]
    with Spool(tmp_path) as again:
        assert not again.put(named("9", position="p")).result(timeout=10).fresh
        assert again.notes("s") == {"last": "8"}
        assert again.notes("t") == {"last": "3"}


def test_a_full_spool_refuses_and_takes_again_when_some_is_sent(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=20_000) as spool:
        taken = fill_up(spool, size=1000)
        with pytest.raises(IntakeFullError, match="full"):
            spool.put(named("x", 1000))
        assert 5 < taken < 20
        assert spool.size <= 20_000
        records = spool.take(8000)  # more than one file: room is freed a file at a time
        spool.settle(records[-1].number)
        assert spool.put(named("new", 1000), wait=10).result(timeout=10).fresh
        assert drain(spool) == [*(f"{each}" for each in range(len(records), taken)), "new"]


def test_a_record_larger_than_the_spool_goes_through_an_empty_one(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=2000) as spool:
        for name in ("1", "2"):
            fill(spool, name, size=5000)
            with pytest.raises(IntakeFullError):
                spool.put(named("x", 5000))
            assert drain(spool) == [name]


def test_a_full_spool_drops_the_oldest_and_counts_it_where_that_is_wanted(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=20_000, when_full="drop oldest") as spool:
        fill(spool, *map(str, range(50)), size=1000)
        assert spool.size <= 20_000
        dropped = spool.dropped
        assert 30 < dropped < 45
    with Spool(tmp_path) as again:
        assert again.dropped == dropped
        assert drain(again) == [str(each) for each in range(dropped, 50)]


def test_only_one_process_has_a_spool(tmp_path: Path) -> None:
    with Spool(tmp_path), pytest.raises(StoreBusyError, match="another process"):
        Spool(tmp_path)
    Spool(tmp_path).close()


@pytest.mark.parametrize("failing", ["pwrite", "fsync"])
def test_a_write_that_fails_acknowledges_nothing_and_spoils_nothing(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(os, failing)
    with Spool(tmp_path) as spool:
        fill(spool, "1")

        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, failing, fail)
        for _ in range(2):
            with pytest.raises(IntakeFullError, match="No space left"):
                spool.put(named("2", position="p")).result(timeout=10)
        monkeypatch.setattr(os, failing, original)
        assert spool.put(named("3", position="p")).result(timeout=10).fresh
        assert names(spool) == ["1", "3"]
    with Spool(tmp_path) as again:
        assert drain(again) == ["1", "3"]


def test_a_full_disk_does_not_stop_the_draining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool(tmp_path, file_bytes=2000) as spool:
        fill(spool, *"123456", size=1500)

        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "pwrite", fail)
        assert drain(spool, most=1) == [*"123456"]
        assert len(list(tmp_path.glob("*.spool"))) == 1
        assert spool.unmarked == f"{tmp_path / 'mark'}: cannot be written (No space left on device)"


def test_a_mark_that_cannot_be_written_is_said_until_it_can_and_nothing_is_lost_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Spool(tmp_path) as spool:
        fill(spool, *"12")
        assert spool.unmarked == ""
        with monkeypatch.context() as patch:
            patch.setattr("ingest.spool.write_mark", raising(OSError(errno.EIO, "Input/output error")))
            assert names(spool, most=1) == ["1"]
            spool.settle(1)
            assert spool.unmarked.endswith("(Input/output error)")
            copy = tmp_path.parent / "as after a crash"
            shutil.copytree(tmp_path, copy)
        fill(spool, "3")
        assert drain(spool) == ["2", "3"]
        assert spool.unmarked == ""
    with Spool(copy) as crashed:
        assert drain(crashed) == ["1", "2"], "again, and in order"


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def small_disk(folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full when the files of a folder take so many bytes, in blocks of 4,096."""
    write = os.pwrite

    def in_blocks(length: int) -> int:
        return -(-length // 4096) * 4096

    def within(descriptor: int, data: bytes, at: int) -> int:
        have = os.fstat(descriptor).st_size
        used = sum(in_blocks(path.stat().st_size) for path in folder.iterdir())
        if used + in_blocks(max(have, at + len(data))) - in_blocks(have) > size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", within)


def test_a_full_disk_is_left_again_when_what_lies_there_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk(tmp_path, 200_000, monkeypatch)
    with Spool(tmp_path) as spool:
        for lap in range(3):
            taken: list[str] = []
            refused = 0
            while refused < 5:  # the source tries again and again
                try:
                    fill(spool, f"{lap} {len(taken)}", size=1000)
                    taken.append(f"{lap} {len(taken)}")
                except IntakeFullError:
                    refused += 1
            assert len(taken) > 50
            assert drain(spool) == taken


STATE = framed(0, b'{"positions": [], "notes": []}')
WHOLE = [framed(number, to_bytes(named(str(number), 40 * number))) for number in range(1, 6)]
DATA = STATE + b"".join(WHOLE)
ENDS = [len(STATE) + sum(map(len, WHOLE[:number])) for number in range(6)]


def opened_on(data: bytes, folder: Path) -> Spool:
    (folder / f"{1:020d}.spool").write_bytes(data)
    return Spool(folder)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(DATA)), tail=st.binary(max_size=30) | st.just(bytes(64)))
def test_a_torn_spool_gives_exactly_its_whole_records(cut: int, tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        torn = DATA[:cut] + tail
        spool = opened_on(torn, Path(name))
        whole = sum(torn[:end] == DATA[:end] for end in ENDS[1:])
        expected = [str(each) for each in range(1, whole + 1)]
        assert names(spool) == expected
        fill(spool, "new")
        spool.close()
        with Spool(Path(name)) as again:
            assert drain(again) == [*expected, "new"]


@settings(max_examples=50, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), flip=st.integers(1, 255), length=st.integers(1, 40))
def test_records_that_the_disk_altered_are_never_served_and_the_others_are(at: int, flip: int, length: int) -> None:
    data = bytearray(DATA)
    end = min(at + length, len(data))
    for place in range(at, end):
        data[place] ^= flip
    spoilt = {number for number in range(1, 6) if ENDS[number - 1] < end and at < ENDS[number]}
    with tempfile.TemporaryDirectory() as name, opened_on(bytes(data), Path(name)) as spool:
        assert drain(spool) == [str(each) for each in range(1, 6) if each not in spoilt]


def test_a_record_altered_while_the_spool_is_open_is_passed_over_and_counted(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        fill(spool, *"12345", size=100)
        (path,) = tmp_path.glob("*.spool")
        data = bytearray(path.read_bytes())
        found = list(whole_records(bytes(data)))
        for each in (found[2], found[5]):
            data[each.end - 5] ^= 1
        path.write_bytes(bytes(data))

        assert drain(spool) == ["1", "3", "4"]
        assert (spool.altered, spool.unsettled) == (2, 0)


def test_a_mark_that_is_torn_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    assert read_mark(path) is None
    for turn in range(1, 5):
        write_mark(path, Mark("s", turn=turn, done=turn))
    data = path.read_bytes()
    assert read_mark(path) == Mark("s", turn=4, done=4)

    for cut in range(1, 80):
        path.write_bytes(data[: cut - 1] + b"\xff" + data[cut:])
        assert read_mark(path) in (Mark("s", turn=4, done=4), Mark("s", turn=3, done=3))
    path.write_bytes(b"\0" * 8192)
    assert read_mark(path) is None
