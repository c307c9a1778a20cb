import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ingest import sqlite
from ingest.errors import StoreBusyError, StoreError
from ingest.sqlite import SqliteDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "state.db"


@pytest.fixture
def numbers(path: Path) -> SqliteDatabase:
    made = SqliteDatabase(path, wait_seconds=0.2)
    with made.write() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY)"))
    return made


def insert(made: SqliteDatabase, number: int) -> None:
    with made.write() as connection:
        connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})


def count(made: SqliteDatabase) -> int:
    with made.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM numbers")).scalar_one())


def test_a_write_is_durable_and_checked_for_foreign_keys(numbers: SqliteDatabase) -> None:
    with numbers.write() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_an_error_undoes_the_whole_block(numbers: SqliteDatabase) -> None:
    insert(numbers, 1)
    with pytest.raises(IntegrityError), numbers.write() as connection:
        connection.execute(text("INSERT INTO numbers SELECT 2 UNION ALL SELECT 1"))
    assert count(numbers) == 1


def test_readers_cannot_write_and_see_one_moment(numbers: SqliteDatabase) -> None:
    with numbers.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM numbers")).scalar()
        insert(numbers, 1)
        assert connection.execute(text("SELECT count(*) FROM numbers")).scalar() == before
    with pytest.raises(StoreError), numbers.read() as connection:
        connection.execute(text("DELETE FROM numbers"))
    assert count(numbers) == 1


def test_a_held_lock_is_a_clear_error_after_a_bounded_wait(numbers: SqliteDatabase, path: Path) -> None:
    with FileLock(f"{path}.lock"), pytest.raises(StoreBusyError, match="another process has been writing"):
        insert(numbers, 1)
    insert(numbers, 2)
    assert count(numbers) == 1


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_file(numbers: SqliteDatabase, path: Path) -> None:
    insert(numbers, 1)
    path.with_name("state.db.lock").unlink()

    insert(numbers, 2)

    with numbers.write(), pytest.raises(Timeout):
        FileLock(f"{path}.lock").acquire(timeout=0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that share open files")
def test_a_process_that_came_of_ours_does_not_share_our_lock(numbers: SqliteDatabase) -> None:
    """The two have one open file between them, and a lock on it would let both in."""
    lock = numbers._lock
    insert(numbers, 1)
    ready, went = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            os.read(ready[0], 1)
            try:
                with lock.held():
                    os.write(went[1], b"in")
            except StoreBusyError:
                os.write(went[1], b"busy")
        os._exit(0)
    with numbers.write():
        os.write(ready[1], b"!")
        said = os.read(went[0], 4)
    os.waitpid(child, 0)
    for each in (*ready, *went):
        os.close(each)
    assert said == b"busy"


def test_a_write_goes_on_after_one_that_failed(numbers: SqliteDatabase) -> None:
    def insert_and_fail() -> None:
        with numbers.write() as connection:
            connection.execute(text("INSERT INTO numbers VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        insert_and_fail()
    with pytest.raises(StoreError), numbers.write() as connection:
        connection.execute(text("no such words"))

    insert(numbers, 2)

    assert count(numbers) == 1


def test_a_write_inside_a_write_is_refused(numbers: SqliteDatabase) -> None:
    with pytest.raises(StoreError, match="writing already"), numbers.write():
        insert(numbers, 1)


def test_threads_wait_for_each_other(path: Path, numbers: SqliteDatabase) -> None:
    patient = SqliteDatabase(path)
    threads = [threading.Thread(target=insert, args=(patient, number)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(numbers) == 20
    patient.close()


def test_a_disk_that_fails_says_that_it_may_be_full(numbers: SqliteDatabase) -> None:
    with pytest.raises(StoreError, match="may be full; free some space"), numbers.write():
        raise sqlite3.OperationalError("disk I/O error")


def test_a_full_disk_is_one_line_and_changes_nothing(numbers: SqliteDatabase) -> None:
    with numbers.write() as connection:
        connection.execute(text("PRAGMA max_page_count = 3"))
    with pytest.raises(StoreError, match="the disk is full") as error, numbers.write() as connection:
        connection.execute(text("CREATE TABLE big AS SELECT randomblob(1000000) AS body"))
    assert "\n" not in str(error.value)
    insert(numbers, 1)
    assert count(numbers) == 1


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"hello, this is a letter " * 100)
    with pytest.raises(StoreError, match="not a database"), SqliteDatabase(tmp_path / "state.db").write():
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot create the data folder"):
        SqliteDatabase(tmp_path / "file" / "state.db")


def test_a_long_write_ahead_log_is_taken_over(
    numbers: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TRUNCATE_BYTES", 1)
    insert(numbers, 1)
    assert path.with_name("state.db-wal").stat().st_size == 0
    assert count(numbers) == 1


def test_a_reader_that_does_not_end_is_waited_for_once_and_not_at_every_commit(
    numbers: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TRUNCATE_BYTES", 1)
    with numbers.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM numbers")).scalar_one() == 0
        insert(numbers, 1)
        begun = time.monotonic()
        for number in range(2, 5):
            insert(numbers, number)
        # Each wait lasts five seconds.
        assert time.monotonic() - begun < 5
    assert count(numbers) == 4


def test_the_write_ahead_log_is_written_back_while_it_is_short_and_used_again(
    numbers: SqliteDatabase, path: Path
) -> None:
    with numbers.write() as connection:
        connection.execute(text("CREATE TABLE bodies (body BLOB)"))

    for _ in range(12):
        with numbers.write() as connection:
            connection.execute(text("INSERT INTO bodies VALUES (zeroblob(1000000))"))

    assert path.with_name("state.db-wal").stat().st_size < 7_000_000


def test_what_is_deleted_is_not_written_once_more(numbers: SqliteDatabase, path: Path) -> None:
    with numbers.write() as connection:
        connection.execute(text("CREATE TABLE bodies (body BLOB)"))
        connection.execute(text("INSERT INTO bodies VALUES (zeroblob(2000000))"))
    numbers.close()

    with numbers.write() as connection:
        connection.execute(text("DELETE FROM bodies"))

    assert path.with_name("state.db-wal").stat().st_size < 200_000


def test_everything_is_there_after_closing(numbers: SqliteDatabase, path: Path) -> None:
    insert(numbers, 1)
    numbers.close()
    assert not path.with_name("state.db-wal").exists()
    assert sqlite3.connect(path).execute("SELECT number FROM numbers").fetchall() == [(1,)]
    insert(numbers, 2)
    assert count(numbers) == 2


def test_a_file_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    """Its journal must be rolled back before anybody reads it, which a reader may not do."""
    path = tmp_path / "readings.db"
    child = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('CREATE TABLE half (x)')\n"
        "connection.execute('BEGIN')\n"
        "connection.executemany('INSERT INTO half VALUES (?)', [('x' * 4000,)] * 100)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", child, str(path)], check=False)
    assert path.with_name("readings.db-journal").exists()

    database = SqliteDatabase(path)

    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM half").scalar_one() == 0
    database.close()
