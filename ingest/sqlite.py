"""One safe way to open a SQLite file: one writer at a time, readers that never wait for it.

SQLite 3.7.0 to 3.51.2 can corrupt a file in WAL mode when two connections write and checkpoint at
once. So every write, every checkpoint and every close happens inside one lock between processes, and
readers open the file read-only, which never checkpoints. A command line and a server may then run
beside each other on one data folder.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool, StaticPool

from ingest.errors import DiskFullError, StoreBusyError, StoreError
from ingest.open_lock import OpenLock

WAIT_SECONDS = 30.0
CHECKPOINT_PAGES = 1_000
"""Pages that may wait in SQLite's log: few, so that writing them back holds up no commit for long."""

TRUNCATE_BYTES = 256 << 20
"""Bytes of SQLite's log from which on readers are waited for, so that it can begin anew."""

AGAIN_SECONDS = 60.0
"""After how long readers that did not end are waited for once more."""


class SqliteDatabase:
    """A SQLite file that several processes may use at once.

    Parameters
    ----------
    path : the file; it and its folder are created when they do not exist
    wait_seconds : how long a write waits for another process

    Raises
    ------
    StoreError
        When the file cannot be created or is not a database.
    StoreBusyError
        When another process holds it for longer than ``wait_seconds``.
    """

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.path = path
        self.name = str(path)
        self._read_only = f"{path.absolute().as_uri()}?mode=ro"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent}: cannot create the data folder: {error.strerror}") from error
        self._lock = OpenLock(path.with_name(f"{path.name}.lock"), path, wait_seconds)
        self._writer = _engine(self._open_writer, StaticPool, "BEGIN IMMEDIATE")
        self._reader = _engine(self._open_reader, NullPool, "BEGIN")
        self._kept: Connection | None = None
        self._truncate_again = 0.0
        # A file whose making was cut short has a journal, which a reader may not roll back.
        if not path.exists() or path.with_name(f"{path.name}-journal").exists():
            with self.write():
                pass

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction; see ``Database.write``."""
        with self._lock.held(), _translated(self.path):
            with self._transaction() as connection:
                yield connection
            # What was written is durable. A disk that cannot take it over now is asked again after the next write.
            with suppress(DatabaseError, sqlite3.DatabaseError):
                self._truncate()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one read-only connection; see ``Database.read``."""
        with _translated(self.path), self._reader.connect() as connection:
            yield connection

    def size(self) -> int:
        """Return how many bytes the file and its log take."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(each.stat().st_size for each in files if each.exists())

    def close(self) -> None:
        """Let go of the file; the last connection's checkpoint happens inside the lock, too."""
        with self._lock.held(), _translated(self.path):
            if self._kept is not None:
                self._kept.close()
                self._kept = None
            self._writer.dispose()
            self._reader.dispose()
        self._lock.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Give one transaction of a connection that is kept for the next one, unless something went wrong."""
        connection, self._kept = self._kept or self._writer.connect(), None
        try:
            with connection.begin():
                yield connection
        except BaseException:
            connection.close()
            raise
        self._kept = connection

    def _truncate(self) -> None:
        """Begin SQLite's log anew where readers that never ended kept it from doing so."""
        with suppress(FileNotFoundError):
            if os.stat(f"{self.path}-wal").st_size <= TRUNCATE_BYTES:  # noqa: PTH116 - after each commit
                return
            if time.monotonic() < self._truncate_again:
                return
            with closing(self._writer.raw_connection()) as raw:
                (busy, *_) = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            # A reader that stays must not hold up each commit for as long as readers are waited for.
            self._truncate_again = time.monotonic() + (AGAIN_SECONDS if busy else 0)

    def _open_writer(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5)
        # SQLite checkpoints at the end of a commit, and so inside our lock.
        checkpoint = f"wal_autocheckpoint={CHECKPOINT_PAGES}"
        # Some distributions overwrite what is deleted: what was sealed would be written again, as zeros.
        overwrite = "secure_delete=OFF"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", checkpoint, overwrite, "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        return sqlite3.connect(self._read_only, uri=True, isolation_level=None, check_same_thread=False, timeout=5)


def _engine(opener: Callable[[], sqlite3.Connection], pool: type[NullPool] | type[StaticPool], begin: str) -> Engine:
    engine = create_engine("sqlite://", creator=opener, poolclass=pool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = str(getattr(error, "orig", None) or error)
        raise _explained(path, cause) from error


def _explained(path: Path, cause: str) -> StoreError:
    if "full" in cause:
        return DiskFullError(f"{path}: the disk is full; free some space and run the same again, nothing is half done")
    if "disk I/O error" in cause:
        return StoreError(
            f"{path}: the disk cannot be written or read ({cause}): it may be full; free some space, look at the"
            " disk's own log, and run the same again, nothing is half done"
        )
    if "locked" in cause or "busy" in cause:
        return StoreBusyError(f"{path}: another program holds the file; close it and try again")
    if "not a database" in cause or "malformed" in cause:
        return StoreError(f"{path}: not a database, or damaged ({cause}); restore it from a backup")
    if "readonly" in cause or "unable to open" in cause:
        return StoreError(f"{path}: cannot be opened for writing ({cause}); check who owns the data folder")
    return StoreError(f"{path}: {cause}")
