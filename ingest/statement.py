"""Statements that say the same in every database, and those that run many times a second, compiled once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

Insert = sqlite.Insert | postgresql.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """Return an insert that may say what to do on a conflict."""
    return _insert(connection.dialect.name, table)


class Many:
    """An insert of many rows that is compiled once, and run past SQLAlchemy's work on each parameter.

    Parameters
    ----------
    table : where the rows go
    finish : adds what to do on a conflict
    """

    def __init__(self, table: Table, finish: Callable[[Insert], Insert] = lambda statement: statement) -> None:
        self._table = table
        self._finish = finish
        self._compiled: dict[tuple[str, tuple[str, ...]], SQLCompiler] = {}

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows that all have a value for the same columns; return how many rows were touched."""
        key = connection.dialect.name, tuple(rows[0])
        if key not in self._compiled:
            statement = self._finish(_insert(key[0], self._table))
            self._compiled[key] = statement.compile(dialect=connection.dialect, column_keys=list(key[1]))
        compiled = self._compiled[key]
        names = compiled.positiontup
        if names is None:
            return connection.exec_driver_sql(compiled.string, [dict(row) for row in rows]).rowcount
        return connection.exec_driver_sql(
            compiled.string, [tuple([row[name] for name in names]) for row in rows]
        ).rowcount


class Query:
    """A query that is compiled once, and run past SQLAlchemy's work on each parameter and row.

    Parameters
    ----------
    statement : with named parameters, of columns that need no translation, such as numbers and texts
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[str, SQLCompiler] = {}

    def __call__(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Return all rows for these values of the parameters."""
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._statement.compile(dialect=connection.dialect)
        compiled = self._compiled[name]
        names = compiled.positiontup
        asked = values if names is None else tuple([values[each] for each in names])
        return connection.exec_driver_sql(compiled.string, asked).all()


def _insert(dialect: str, table: Table) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
