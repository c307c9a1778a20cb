"""A real PostgreSQL for tests: a schema of its own in a database that is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

WHERE = os.environ.get("TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1/postgres")
"""A database in which a test may make a schema; a variable that begins with ANDON_ would be a setting."""


@contextmanager
def schema() -> Iterator[str]:
    """Give the address of an empty schema that is gone when the block ends; skip where there is no server."""
    name = f"andon_{uuid4().hex}"
    try:
        engine = create_engine(WHERE.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        told = f"no PostgreSQL at {WHERE} ({str(error).splitlines()[0]}); name one in TEST_POSTGRESQL"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    try:
        yield f"{WHERE}?options=-csearch_path%3D{name}"
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()
