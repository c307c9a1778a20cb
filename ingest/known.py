"""Known positions: what came under one of them is kept already, so that the same again changes nothing.

Most sources have few positions, or replace theirs, and each is known for ever. Clients that push give each batch
a position of its own: of these only the newest are known, the keys that they chose and the hashes of their bodies
apart, so that many of one kind do not push the others out. A batch that comes again after that is taken as new: its
readings are one reading with those that are there, and win over what corrected them since.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, select

from ingest import log
from ingest.catalogue import KNOWN_BODIES, KNOWN_KEYS, POSITIONS
from ingest.delivery import Delivery, Receipt, Remembered
from ingest.statement import Many

MOST: Mapping[Remembered, int] = {"key": 1_000_000, "body": 1_000_000}
_NEWEST: Mapping[Remembered, Table] = {"key": KNOWN_KEYS, "body": KNOWN_BODIES}
_CLAIM = {
    name: Many(table, ("source", "position", "note"), lambda statement: statement.on_conflict_do_nothing())
    for name, table in _NEWEST.items()
}


def claim(connection: Connection, delivery: Delivery) -> Receipt:
    """Remember the position of a delivery, if it has one; say whether it was known, and of another content."""
    source, position, digest = delivery.source, delivery.position, delivery.digest
    if not position:
        return Receipt(True)
    if delivery.remembered == "always":
        table, fresh = POSITIONS, log.claim(connection, source, position, digest)
    else:
        table = _NEWEST[delivery.remembered]
        fresh = _CLAIM[delivery.remembered](connection, [(source, position, digest)]) == 1
    if fresh:
        return Receipt(True)
    here = table.c.source == source, table.c.position == position
    known = connection.execute(select(table.c.note).where(*here)).scalar_one()
    return Receipt(False, other=bool(digest and known and known != digest))


def forget(connection: Connection, most: Mapping[Remembered, int] = MOST) -> None:
    """Forget all but the newest positions of those that are not known for ever."""
    for name, table in _NEWEST.items():
        # As text: this runs with each commit, and to compile it takes longer.
        newest = f"(SELECT max(id) FROM {table.name})"  # noqa: S608 - the name is ours
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE id <= {newest} - {most[name]:d}")  # noqa: S608
