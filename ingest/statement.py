"""Statements that say the same in every database, and those that run many times a second, compiled once."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

Insert = sqlite.Insert | postgresql.Insert
Value = TypeVar("Value")


NAMED_AT_ONCE = 500
"""So many values one question may name, whatever the database."""


def pieces(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """Yield values in pieces that one question may name.

    Examples
    --------
    >>> [len(each) for each in pieces(range(1001))]
    [500, 500, 1]
    """
    return (values[place : place + NAMED_AT_ONCE] for place in range(0, len(values), NAMED_AT_ONCE))


def insert_into(connection: Connection, table: Table) -> Insert:
    """Return an insert that may say what to do on a conflict."""
    return _insert(connection.dialect.name, table)


class Many:
    """An insert of many rows that is compiled once, and run past SQLAlchemy's work on each parameter.

    Parameters
    ----------
    table : where the rows go
    columns : what each row has a value for, in its order
    finish : adds what to do on a conflict
    together : in PostgreSQL one statement for all rows, twice as fast, where JSON can hold their values and no two of
        them meet in a conflict
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        finish: Callable[[Insert], Insert] = lambda statement: statement,
        *,
        together: bool = False,
    ) -> None:
        self._table = table
        self._columns = list(columns)
        self._finish = finish
        self._together = together
        self._texts: dict[str, str] = {}

    def __call__(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Insert rows; return how many were touched."""
        name = connection.dialect.name
        if name not in self._texts:
            self._texts[name] = self._compiled(name)
        if self._together and name == "postgresql":
            given = json.dumps([dict(zip(self._columns, row, strict=True)) for row in rows])
            return connection.exec_driver_sql(self._texts[name], (given,)).rowcount
        return connection.exec_driver_sql(self._texts[name], [tuple(row) for row in rows]).rowcount

    def _compiled(self, name: str) -> str:
        # Parameters by their place: to name each of them costs more than to bind it.
        dialect: Dialect = sqlite.dialect()
        if name == "postgresql":
            dialect = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        statement = self._finish(_insert(name, self._table)).inline()
        compiled = statement.compile(dialect=dialect, column_keys=self._columns)
        if compiled.positiontup != self._columns:
            raise TypeError(f"{self._table.name}: give {compiled.positiontup}, in this order, not {self._columns}")
        if self._together and name == "postgresql":
            # One text that the server takes apart: the driver would look at each value, several times as long.
            kinds = ", ".join(f'"{each}" {self._table.c[each].type.compile(dialect)}' for each in self._columns)
            names = ", ".join(f'"{each}"' for each in self._columns)
            rows = f"SELECT {names} FROM json_to_recordset(%s::json) AS given({kinds})"  # noqa: S608 – our own names
            return re.sub(r"VALUES \([^)]*\)", rows, str(compiled), count=1)
        return str(compiled)


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
