"""Damage to the store: looked for in all that lies on disk, and put aside so that the rest works again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Row, Table, delete, select

from ingest import corrections, late, log
from ingest.catalogue import BATCHES, CORRECTIONS, LATE, SEGMENTS
from ingest.checksum import metadata_of, verify
from ingest.database import Database
from ingest.errors import DamagedError
from ingest.lake import Lake, segments_of


@dataclass(frozen=True, slots=True)
class Damage:
    """One part of the store that is not what was written, and what was in it.

    Attributes
    ----------
    part, id : a file of the lake, a file that the catalogue does not know, a batch of the log, or what one sealing
        noted of corrections or late rows; and its number in the catalogue
    rows, first, newest : how many rows it had, of which span, in microseconds since 1970; 0 where nobody knows
    why : what is wrong, and what can be done
    """

    part: Literal["file", "stray", "batch", "corrections", "late"]
    id: int
    machine_class: str
    rows: int
    first: int
    newest: int
    why: str


_BODIES: Mapping[Literal["batch", "corrections", "late"], tuple[Table, Callable[[Row[Any]], object]]] = {
    "batch": (BATCHES, log.batch_of),
    "corrections": (CORRECTIONS, corrections.entry_of),
    "late": (LATE, late.entry_of),
}
"""The tables that hold bytes: each row of one is a part, and is read by a function that knows damage."""


def find_damage(database: Database, lake: Lake) -> Iterator[Damage]:
    """Give everything that is damaged; reads all files of the lake and all bytes in the catalogue's tables."""
    yield from _damaged_files(database, lake)
    for part, (table, read) in _BODIES.items():
        with database.read() as connection:
            numbers = connection.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
        for number in numbers:
            row = _row(database, table, number)
            if row is None:
                continue
            try:
                read(row)
            except DamagedError as error:
                rows, first, newest = (getattr(row, name, 0) for name in ("rows", "first", "newest"))
                yield Damage(part, row.id, row.machine_class, rows, first, newest, str(error))


def _damaged_files(database: Database, lake: Lake) -> Iterator[Damage]:
    with database.read() as connection:
        segments = segments_of(connection)
    for each in segments:
        try:
            with lake.place.open(lake.path(each), anew=True) as file:
                verify(file, each.sums)
        except FileNotFoundError:
            if not _is_listed(database, each.id):
                continue
            why = f"{lake.place.where(lake.path(each))}: gone; restore it from a backup"
        except DamagedError as error:
            why = str(error)
        else:
            continue
        yield Damage("file", each.id, each.machine_class, each.rows, each.first, each.newest, why)


def find_strays(lake: Lake) -> Iterator[Damage]:
    """Give the whole files that the catalogue does not know; a file of a sealing under way is none."""
    with lake.alone():
        strays = [(path, _rows(lake, path)) for path in lake.strays() if lake.is_whole(path)]
    for path, rows in strays:
        why = (
            f"{lake.place.where(path)}: whole, but the catalogue does not know it; if readings.db was lost, restore it"
            " from a backup before anything is read in: until then the next sealing puts the file into"
            f" {lake.place.aside}"
        )
        yield Damage("stray", 0, path.partition("/")[0], rows, 0, 0, why)


def set_aside(database: Database, lake: Lake, damages: list[Damage], folder: Path) -> str:
    """Take damaged parts out of the store, for a person to look at; the rest works on.

    Parameters
    ----------
    folder : where batches of the log come to lie

    Returns
    -------
    Where the parts are now
    """
    where: dict[str, None] = {}
    with lake.alone(), database.write() as connection:
        files = {each.id: lake.path(each) for each in segments_of(connection)}
        if any(each.part == "stray" for each in damages):
            lake.clear_strays()
        for each in damages:
            where[str(folder) if each.part in _BODIES else lake.place.aside] = None
            if each.part == "file":
                # A part may have gone meanwhile: merged, sealed or used.
                if each.id in files:
                    lake.place.put_aside(files[each.id])
                    connection.execute(delete(SEGMENTS).where(SEGMENTS.c.id == each.id))
            elif each.part != "stray":
                table, _ = _BODIES[each.part]
                row = connection.execute(select(table).where(table.c.id == each.id)).one_or_none()
                if row is None:
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{each.part}-{each.id}.arrows").write_bytes(row.body)
                connection.execute(delete(table).where(table.c.id == each.id))
    return " and ".join(where)


def _rows(lake: Lake, path: str) -> int:
    with lake.place.open(path) as file:
        return metadata_of(file).num_rows


def _is_listed(database: Database, segment: int) -> bool:
    with database.read() as connection:
        return connection.execute(select(SEGMENTS.c.id).where(SEGMENTS.c.id == segment)).first() is not None


def _row(database: Database, table: Table, number: int) -> Row[Any] | None:
    with database.read() as connection:
        return connection.execute(select(table).where(table.c.id == number)).one_or_none()
