"""The tables of a store made ready: made where there are none, refused where another Andon made others."""

from sqlalchemy import Connection, inspect, select

from ingest.catalogue import BATCHES, FORMAT, METADATA
from ingest.database import Database
from ingest.errors import StoreError

NEWEST_FORMAT = 1
"""Of the tables and of what their bytes mean; grows when an older Andon could misread or spoil them."""


def ready_tables(database: Database) -> None:
    """Make the tables that are not there; tables from before there were formats are of the first one.

    Raises
    ------
    StoreError
        When a newer Andon made them, or one so old that its readings have no checksums.
    """
    with database.read() as connection:
        there = inspect(connection)
        tables = set(there.get_table_names())
        if BATCHES.name in tables and "sum" not in {each["name"] for each in there.get_columns(BATCHES.name)}:
            raise StoreError(
                f"{database.name}: made by an Andon that kept no checksums; move it away and run 'andon ingest' again"
            )
        if tables.issuperset(METADATA.tables):
            _check(connection, database.name)
            return
    with database.write() as connection:
        METADATA.create_all(connection)
        if _check(connection, database.name) is None:
            connection.execute(FORMAT.insert(), {"number": NEWEST_FORMAT})


def _check(connection: Connection, name: str) -> int | None:
    found = connection.scalar(select(FORMAT.c.number))
    if found is not None and found > NEWEST_FORMAT:
        raise StoreError(
            f"{name}: written by a newer Andon (format {found}, this one knows up to {NEWEST_FORMAT}); install that"
            " version, or use another data folder"
        )
    return found
