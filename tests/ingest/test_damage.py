"""What becomes of a store whose disk rots: damage is found, named and never served."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.catalogue import to_microseconds
from ingest.errors import DamagedError, StoreError
from ingest.store import Store
from tests.ingest.conftest import BESIDE, DATABASES, START, Kept, MakeReadings, content_of, put_content

KEPT = DATABASES


def filled(folder: Path, make_readings: MakeReadings, *, sealed: bool, kept: Kept = BESIDE) -> Store:
    store = kept.open(folder)
    rows = [(f"m{number % 3}", float(number), {"a": number / 7, "b": float(number)}) for number in range(60)]
    store.append(make_readings(rows), source="s", position="1")
    if sealed:
        store.seal()
    return store


def flip(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ (1 << bit)]))


def segment_of(store: Store) -> Path:
    return next((store.folder / "lake").glob("*/*.parquet"))


def test_no_flipped_bit_of_a_file_of_the_lake_is_ever_served(tmp_path: Path, make_readings: MakeReadings) -> None:
    with_rot = filled(tmp_path, make_readings, sealed=True)
    path, good = segment_of(with_rot), with_rot.read("press").table
    found, places = 0, range(0, path.stat().st_size, 3)
    for place in places:
        bit = place * 5 % 8
        flip(path, place, bit)
        try:
            served = with_rot.read("press").table
        except DamagedError:
            found += 1
        else:
            assert served.equals(good)
        flip(path, place, bit)
    # Only what is between the parts, such as the four bytes in front, may change unseen.
    assert found >= len(places) - 6
    assert with_rot.find_damage() == []


def test_no_flipped_bit_is_served_from_wherever_files_are(
    tmp_path: Path, make_readings: MakeReadings, kept_files: Kept
) -> None:
    store, place = filled(tmp_path, make_readings, sealed=True, kept=kept_files), kept_files.place(tmp_path)
    (path,) = place.paths()
    content, good = content_of(place, path), store.read("press").table
    for where in range(4, len(content), 97):
        put_content(place, path, content[:where] + bytes([content[where] ^ 1 << where % 8]) + content[where + 1 :])
        (damage,) = store.find_damage()
        assert place.where(path) in damage.why
        reader = kept_files.open(tmp_path)
        with pytest.raises(DamagedError, match="damaged"):
            reader.read("press")
        reader.close()
    put_content(place, path, content)
    assert store.find_damage() == []
    assert store.read("press").table.equals(good)


@pytest.mark.parametrize("keep", [0, 1, 7, 200, -1])
def test_a_file_of_the_lake_that_was_cut_off_is_damaged(
    tmp_path: Path, make_readings: MakeReadings, kept_files: Kept, keep: int
) -> None:
    store, place = filled(tmp_path, make_readings, sealed=True, kept=kept_files), kept_files.place(tmp_path)
    (path,) = place.paths()
    put_content(place, path, content_of(place, path)[:keep])

    with pytest.raises(DamagedError, match="damaged"):
        store.read("press")


def test_a_damaged_batch_of_the_log_is_named_and_neither_served_nor_sealed(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    filled(tmp_path, make_readings, sealed=False).close()
    with sqlite3.connect(tmp_path / "readings.db") as database:
        (body,) = database.execute("select body from batches").fetchone()
        database.execute("update batches set body = ?", (body[:-9] + bytes([body[-9] ^ 1]) + body[-8:],))
    store = Store(tmp_path)

    with pytest.raises(DamagedError, match="batch 1 of the log, 60 rows of class 'press'"):
        store.read("press")
    with pytest.raises(DamagedError, match="batch 1"):
        store.seal()
    assert store.spans("press") == {}


@pytest.mark.parametrize("sealed", [True, False], ids=["lake", "log"])
def test_what_is_damaged_can_be_put_aside_and_the_rest_works(
    tmp_path: Path, make_readings: MakeReadings, sealed: bool
) -> None:
    store = filled(tmp_path, make_readings, sealed=sealed)
    if sealed:
        flip(segment_of(store), 100, 3)
    else:
        with sqlite3.connect(tmp_path / "readings.db") as database:
            database.execute("update batches set rows = 61")
    store.append(make_readings([("m9", 5000, {"a": 1.0})]), source="s", position="2")

    (damage,) = store.find_damage()
    folder = Path(store.set_aside([damage]))

    assert (damage.part, damage.machine_class) == ("file" if sealed else "batch", "press")
    assert len(list(folder.iterdir())) == 1
    assert store.find_damage() == []
    store.seal()
    assert store.read("press").table["machine"].to_pylist() == ["m9"]


def test_a_file_that_is_gone_is_found_too(tmp_path: Path, make_readings: MakeReadings, kept_files: Kept) -> None:
    store, place = filled(tmp_path, make_readings, sealed=True, kept=kept_files), kept_files.place(tmp_path)
    place.remove(place.paths()[0])

    (damage,) = store.find_damage()

    assert "gone" in damage.why
    store.set_aside([damage])
    assert store.read("press").table.num_rows == 0


def test_what_rotted_or_is_unknown_can_be_put_aside_from_wherever_files_are(
    tmp_path: Path, make_readings: MakeReadings, kept_files: Kept
) -> None:
    store, place = filled(tmp_path, make_readings, sealed=True, kept=kept_files), kept_files.place(tmp_path)
    (path,) = place.paths()
    content = content_of(place, path)
    put_content(place, "press/unknown.parquet", content)
    put_content(place, path, content[:100] + bytes([content[100] ^ 8]) + content[101:])

    damages = store.find_damage()

    assert [each.part for each in damages] == ["file", "stray"]
    assert store.set_aside(damages) == place.aside
    assert place.paths() == []
    assert store.find_damage() == []
    assert store.read("press").table.num_rows == 0


def test_a_folder_without_checksums_is_refused(tmp_path: Path, make_readings: MakeReadings) -> None:
    filled(tmp_path, make_readings, sealed=True).close()
    with sqlite3.connect(tmp_path / "readings.db") as database:
        database.execute("alter table batches drop column sum")

    with pytest.raises(StoreError, match="kept no checksums"):
        Store(tmp_path)


def test_a_log_that_was_cut_off_or_corrupted_anywhere_gives_its_whole_prefix(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    """The short form; ``python -m tests.trials.log_rot`` tries every byte of the last 64 KB."""
    from tests.trials.log_rot import prefixes_held

    assert prefixes_held(tmp_path, places=50) == 100


def test_a_lost_catalogue_costs_no_reading(tmp_path: Path, make_readings: MakeReadings) -> None:
    filled(tmp_path, make_readings, sealed=True).close()
    for path in tmp_path.glob("readings.db*"):
        path.unlink()
    store = Store(tmp_path)
    segment = segment_of(store)

    (damage,) = store.find_damage()
    assert (damage.part, damage.rows) == ("stray", 60)
    assert str(segment) in damage.why
    store.append(make_readings([("m9", 5000, {"a": 1.0})]), source="s", position="2")
    store.seal()

    assert (tmp_path / "damaged" / segment.name).exists()
    assert store.read("press").table["machine"].to_pylist() == ["m9"]


def test_files_that_nobody_knows_can_be_put_aside_on_demand(tmp_path: Path, make_readings: MakeReadings) -> None:
    filled(tmp_path, make_readings, sealed=True).close()
    for path in tmp_path.glob("readings.db*"):
        path.unlink()
    store = Store(tmp_path)
    segment = segment_of(store)

    folder = Path(store.set_aside(store.find_damage()))

    assert (folder / segment.name).exists()
    assert store.find_damage() == []


def test_what_a_crash_left_half_written_is_removed(
    tmp_path: Path, make_readings: MakeReadings, kept_files: Kept
) -> None:
    store, place = filled(tmp_path, make_readings, sealed=True, kept=kept_files), kept_files.place(tmp_path)
    (path,) = place.paths()
    put_content(place, "press/half.parquet", content_of(place, path)[:-20])

    assert store.find_damage() == []
    store.seal()
    assert place.paths() == [path]
    assert store.read("press").table.num_rows == 60


def with_late_and_corrected(folder: Path, make_readings: MakeReadings) -> Store:
    store = Store(folder)
    store.append(make_readings([("m1", each, {"a": 1.0}) for each in range(9)]), source="s", position="1")
    store.late.settle("press", {"m1": to_microseconds(START + timedelta(hours=1))}, timedelta(days=1))
    store.append(make_readings([("m1", 3, {"a": 2.0}), ("m1", 3.5, {"a": 2.0})]), source="s", position="2")
    store.seal()
    return store


@pytest.mark.parametrize("table", ["corrections", "late"])
def test_damage_in_what_sealing_noted_is_found_and_put_aside(
    tmp_path: Path, make_readings: MakeReadings, table: str
) -> None:
    store = with_late_and_corrected(tmp_path, make_readings)
    assert store.find_damage() == []
    with sqlite3.connect(tmp_path / "readings.db") as database:
        (body,) = database.execute(f"select body from {table}").fetchone()  # noqa: S608 – one of two names
        altered = body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]
        database.execute(f"update {table} set body = ?", (altered,))  # noqa: S608

    (damage,) = store.find_damage()
    assert (damage.part, damage.id, damage.machine_class) == (table, 1, "press")
    assert "of class 'press': damaged" in damage.why
    folder = Path(store.set_aside([damage]))
    assert [path.name for path in folder.iterdir()] == [f"{table}-1.arrows"]
    assert store.find_damage() == []
    store.close()


def test_late_rows_that_an_earlier_andon_noted_without_a_checksum_are_read(
    tmp_path: Path, make_readings: MakeReadings
) -> None:
    store = with_late_and_corrected(tmp_path, make_readings)
    with sqlite3.connect(tmp_path / "readings.db") as database:
        (body,) = database.execute("select body from late").fetchone()
        database.execute("update late set body = ?", (body[12:],))

    (entry,) = store.late.after("press", 0)
    assert entry.table.num_rows == 2
    assert store.find_damage() == []
    store.close()
