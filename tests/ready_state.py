"""A state database as the migrations make it, taken again in place of being made anew each time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Table, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ingest.database import Database
from service import database as state_database
from service.migrations.every_table import metadata
from tests.postgresql import schema


def open_state(path: Path, database: str = "") -> Database:
    """Open the state as ``service.database`` does; what it would make first in an empty place is there already."""
    if not database and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())
    return state_database.open_state(path, database)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        state_database.open_state(path).close()
        return path.read_bytes()


class ReadySchemas:
    """Schemas of PostgreSQL with the tables of the state, lent one after the other.

    To make the tables takes the server half a second, to empty them a fiftieth. A schema whose tables
    are no longer as they were made is given away instead of being lent again.
    """

    def __init__(self) -> None:
        self._free: list[_Ready] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Give the address of a schema whose tables are empty, as after the migrations; skip where there is no server.

        It is emptied when it is lent and not before: a process that was killed may end a little later.
        """
        ready = None
        while self._free and ready is None:
            ready = self._free.pop()
            if not ready.empty():
                ready.close()
                ready = None
        ready = ready or _Ready.made()
        yield ready.url
        self._free.append(ready)

    def close(self) -> None:
        """Take all schemas away."""
        while self._free:
            self._free.pop().close()


@dataclass
class _Ready:
    url: str
    looks: str
    rows: list[tuple[Table, list[dict[str, Any]]]]
    """What the migrations themselves write."""
    kept: ExitStack = field(repr=False)

    @classmethod
    def made(cls) -> "_Ready":
        with ExitStack() as kept:
            url = kept.enter_context(schema())
            state_database.open_state(Path("state.db"), url).close()
            with _connected(url) as connection:
                rows = [
                    (table, [dict(each) for each in connection.execute(select(table)).mappings()])
                    for table in metadata.sorted_tables
                ]
                return cls(url, _looks(connection), [each for each in rows if each[1]], kept.pop_all())

    def empty(self) -> bool:
        """Take all rows away that a test wrote, and say whether it is now as it was made."""
        try:
            with _connected(self.url) as connection:
                connection.execute(text("SET LOCAL lock_timeout = 2000"))
                connection.exec_driver_sql(_GUARD)
                if _looks(connection) != self.looks:
                    return False
                # The audit trail and what others refer to would not let their rows go.
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.exec_driver_sql(_EMPTY)
                for table, rows in self.rows:
                    connection.execute(table.insert(), rows)
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        self.kept.close()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def _looks(connection: Connection) -> str:
    """Return a digest of all tables, columns, indexes, constraints, triggers and functions of the schema."""
    return str(connection.exec_driver_sql(_LOOKS).scalar_one())


_LOOKS = """
WITH ours AS (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
    SELECT relkind::text || ' ' || relname AS line FROM ours
    UNION ALL
    SELECT relname || '.' || attname || ' ' || atttypid::text || ' ' || attnotnull::text || ' ' || atthasdef::text
        FROM ours JOIN pg_attribute ON attrelid = oid WHERE attnum > 0
    UNION ALL
    SELECT pg_get_constraintdef(oid) || conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION ALL
    SELECT pg_get_indexdef(oid) FROM ours WHERE relkind = 'i'
    UNION ALL
    SELECT tgname || ' ' || tgenabled::text FROM pg_trigger JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    UNION ALL
    SELECT version_num FROM alembic_version
) AS lines"""

_GUARD = """
DO $$ DECLARE it record; BEGIN
    FOR it IN SELECT DISTINCT tgrelid::regclass AS name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND tgenabled <> 'O'
    LOOP EXECUTE 'ALTER TABLE ' || it.name || ' ENABLE TRIGGER ALL'; END LOOP;
END $$"""

_EMPTY = """
DO $$ DECLARE it record; BEGIN
    FOR it IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP EXECUTE 'DELETE FROM ' || it.name; END LOOP;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S';
END $$"""
