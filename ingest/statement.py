"""Statements that run many times a second, compiled once."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert


def run_many(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run an insert for each row, past SQLAlchemy's work on each parameter, and return how many rows it touched.

    Parameters
    ----------
    statement : made once and kept, since it is compiled once
    rows : a value for each column that the statement names
    """
    compiled = _compiled(statement, connection.dialect, tuple(rows[0]))
    if compiled.positiontup is None:
        return connection.exec_driver_sql(compiled.string, [dict(row) for row in rows]).rowcount
    names = compiled.positiontup
    return connection.exec_driver_sql(compiled.string, [tuple([row[name] for name in names]) for row in rows]).rowcount


@lru_cache(maxsize=256)
def _compiled(statement: Insert, dialect: Dialect, columns: tuple[str, ...]) -> SQLCompiler:
    return statement.compile(dialect=dialect, column_keys=list(columns))
