"""◆ A database that several processes use at once: SQLite files by default, PostgreSQL by one setting."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection


class Database(Protocol):
    """Gives transactions: one writer at a time, and readers that never wait for it.

    Attributes
    ----------
    name : where it is, for messages
    """

    name: str

    def write(self) -> AbstractContextManager[Connection]:
        """Give one transaction that nobody else's can overlap; durable once the block is left.

        An error inside the block rolls everything back. Breaking a constraint raises SQLAlchemy's
        ``IntegrityError``, for the caller to judge.

        Raises
        ------
        StoreBusyError
            When another process writes for too long.
        StoreError
            When the database cannot be reached or written.
        """

    def read(self) -> AbstractContextManager[Connection]:
        """Give one read-only connection that sees one moment of the database throughout."""

    def size(self) -> int:
        """Return how many bytes it takes on disk."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_database(path: Path, url: str = "") -> Database:
    """Open a database: the SQLite file at ``path``, or the PostgreSQL database at ``url`` where one is given.

    Raises
    ------
    StoreError
        When it cannot be opened, or the driver of PostgreSQL is not installed.
    """
    if url:
        from ingest.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(url, purpose=path.stem)
    from ingest.sqlite import SqliteDatabase

    return SqliteDatabase(path)
