"""Whose files lie in a place: two catalogues in one place would take each other's files for strays."""

from uuid import uuid4

from sqlalchemy import Connection, select

from ingest.catalogue import LAKE, SEGMENTS
from ingest.database import Database
from ingest.errors import StoreError
from ingest.place import Place


def check_place(connection: Connection, database: Database, place: Place) -> None:
    """Raise ``StoreError`` if a catalogue's files lie in a place of the other kind; asks the catalogue only."""
    row = connection.execute(select(LAKE)).first()
    if row is not None and not place.shared:
        raise StoreError(f"{database.name}: its sealed readings lie in {row.place}; set ANDON_LAKE to where they are")
    if row is None and place.shared and _has_files(connection):
        raise StoreError(
            f"{database.name}: its sealed readings lie in a folder, and nothing is moved; leave ANDON_LAKE empty,"
            " or begin with a new data folder"
        )


def claim_place(database: Database, place: Place) -> None:
    """Make sure that a place holds the files of this catalogue and of no other, before anything changes there.

    Raises
    ------
    StoreError
        When it is another one's, or has lost its mark, or cannot be reached.
    """
    with database.read() as connection:
        check_place(connection, database, place)
        row = connection.execute(select(LAKE)).first()
    if not place.shared:
        return
    if row is None:
        if place.mark() is not None:
            raise _of_another(place)
        with database.write() as connection:
            check_place(connection, database, place)
            if connection.execute(select(LAKE)).first() is None:
                connection.execute(LAKE.insert(), {"mark": uuid4().hex, "place": place.name})
            row = connection.execute(select(LAKE)).one()
    held = place.mark()
    if held is None:
        with database.read() as connection:
            if _has_files(connection):
                raise StoreError(
                    f"{place.name}: is not where the sealed readings of {database.name} lie ({row.place});"
                    " set ANDON_LAKE to where they are"
                )
        place.set_mark(row.mark)
    elif held != row.mark:
        raise _of_another(place)


def _of_another(place: Place) -> StoreError:
    return StoreError(
        f"{place.name}: holds the readings of another catalogue; name a folder of its own in ANDON_LAKE,"
        " or restore the catalogue from a backup if it was lost"
    )


def _has_files(connection: Connection) -> bool:
    return connection.execute(select(SEGMENTS.c.id).limit(1)).first() is not None
