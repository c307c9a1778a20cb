"""PostgreSQL in place of SQLite files: the same tables, the same rule of one writer at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from ingest.errors import DiskFullError, StoreBusyError, StoreError

WAIT_SECONDS = 30.0
_DRIVER = "postgresql+psycopg"
_SCHEMES = ("postgresql", "postgres")
_LOCK_NOT_AVAILABLE = "55P03"
_DISK_FULL = "53100"


class PostgresqlDatabase:
    """A PostgreSQL database that several processes and computers may use at once.

    Writers of one purpose take turns by an advisory lock, so that what comes later has the higher
    number; readers see one snapshot throughout.

    Parameters
    ----------
    url : such as ``postgresql://andon@db.plant/andon``
    purpose : what it is used for; each purpose has a lock of its own
    wait_seconds : how long a write waits for another process

    Raises
    ------
    StoreError
        When the URL cannot be read, the driver is not installed, or nobody answers.
    """

    def __init__(self, url: str, *, purpose: str, wait_seconds: float = WAIT_SECONDS) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise _no_address() from error
        if parsed.get_backend_name() not in _SCHEMES:
            raise _no_address()
        parsed = parsed.set(drivername=_DRIVER)
        self.name = parsed.render_as_string(hide_password=True).replace(_DRIVER, "postgresql", 1)
        self._wait = round(wait_seconds * 1000)
        self._lock = int.from_bytes(blake2b(purpose.encode(), digest_size=8).digest(), signed=True)
        try:
            self._engine = create_engine(parsed, pool_size=8, max_overflow=32, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise StoreError("PostgreSQL needs a driver; install it with: pip install 'andon[postgresql]'") from error
        event.listen(self._engine, "connect", _prepare)
        with self.read():
            pass

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction; see ``Database.write``."""
        with self._translated(), self._engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = {self._wait}"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": self._lock})
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one read-only connection; see ``Database.read``."""
        with self._translated(), self._engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with snapshot.begin():
                yield snapshot

    def size(self) -> int:
        """Return how many bytes the whole database takes."""
        with self.read() as connection:
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise self._explained(error) from error

    def _explained(self, error: DBAPIError) -> StoreError:
        code = getattr(error.orig, "sqlstate", None)
        cause = str(error.orig).strip().partition("\n")[0]
        if code == _LOCK_NOT_AVAILABLE:
            return StoreBusyError(
                f"{self.name}: another process has been writing for {self._wait / 1000:g} s; try again when it is done"
            )
        if code == _DISK_FULL:
            return DiskFullError(f"{self.name}: its disk is full; free some space and run the same again")
        if code is None:
            return StoreError(f"{self.name}: cannot be reached ({cause}); is it running, and is the address right?")
        return StoreError(f"{self.name}: {cause}")


def _no_address() -> StoreError:
    """Say what an address looks like; what was given is not shown, since it may hold a password."""
    return StoreError(
        "ANDON_DATABASE is no address of a PostgreSQL database; write one such as postgresql://user@host/name"
    )


def _prepare(connection: object, record: object) -> None:
    """Let every commit wait for the disk, whatever the server's default is."""
    del record
    with connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SET synchronous_commit = on")
    connection.commit()  # type: ignore[attr-defined]
