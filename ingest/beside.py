"""Writing readings that arrived before, beside what came after them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
from sqlalchemy import Connection

from ingest import log
from ingest.database import Database
from ingest.errors import StoreBusyError
from ingest.gather import ATTEMPTS, Found, gather, selected
from ingest.lake import Lake, segments_of
from ingest.merge import merge
from ingest.reading import Readings
from ingest.replay_order import Held, asked_of, at_their_times
from ingest.segment import Selection


@contextmanager
def writing_beside(
    database: Database, lake: Lake, replayed: Sequence[Readings]
) -> Iterator[tuple[Connection, Mapping[str, Held]]]:
    """Give one transaction, and what each class holds in it of the machines, times and signals of these readings.

    The files of the lake may lie far away. They are read before the transaction, so that no other writer waits
    for them, and once more where a sealing brought others meanwhile.

    Raises
    ------
    StoreError
        When a file of the lake is gone (``StoreBusyError``: sealings came between again and again).
    """
    by_class: dict[str, list[Readings]] = {}
    for each in replayed:
        if each.table.num_rows:
            by_class.setdefault(each.machine_class, []).append(each)
    asked = {machine_class: asked_of(several) for machine_class, several in by_class.items()}
    for _ in range(ATTEMPTS):
        sealed = {name: _sealed(database, lake, selection, name, by_class[name]) for name, selection in asked.items()}
        with database.write() as connection:
            if all(_segments(connection, name, found.selection) == found for name, (found, _) in sealed.items()):
                yield (
                    connection,
                    {
                        name: _with_log(connection, name, found, table, by_class[name])
                        for name, (found, table) in sealed.items()
                    },
                )
                return
    raise StoreBusyError(f"{lake.place.name}: files were replaced {ATTEMPTS} times while they were read; try again")


def _sealed(
    database: Database, lake: Lake, selection: Selection, machine_class: str, replayed: Sequence[Readings]
) -> tuple[Found, pa.Table]:
    def look() -> Found:
        with database.read() as connection:
            return _segments(connection, machine_class, selection)

    found, table = gather(lake, machine_class, look)
    return found, at_their_times(table, replayed)


def _segments(connection: Connection, machine_class: str, selection: Selection) -> Found:
    return Found(segments_of(connection, machine_class, selection.first, selection.newest), (), selection)


def _with_log(
    connection: Connection, machine_class: str, found: Found, sealed: pa.Table, replayed: Sequence[Readings]
) -> Held:
    batches = log.batches(connection, machine_class, found.selection.first, found.selection.newest)
    logged = [at_their_times(each, replayed) for each in selected(batches, found.selection)]
    return Held(merge(pa.concat_tables([sealed, *logged])).table)
