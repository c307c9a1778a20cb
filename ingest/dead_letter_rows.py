"""Dead letters in the catalogue's tables: each kept once, all of them within a bound, every one counted."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from ingest.catalogue import DEAD_LETTER_COUNTS, DEAD_LETTERS, from_microseconds, to_microseconds
from ingest.dead_letter import DeadLetter, KeptLetter, LetterCounts
from ingest.keepable import keepable

MOST_BYTES = 64 << 20
"""Room for the letters of all sources together; beyond it the oldest are dropped, and counted."""

ROW_BYTES = 100
_AT_ONCE = 500


def keep(connection: Connection, letters: Sequence[DeadLetter], source: str, *, most_bytes: int = MOST_BYTES) -> None:
    """Keep letters behind all others; the same bytes of one source are one letter.

    Whatever then exceeds ``most_bytes``, the oldest first, is dropped and counted.
    """
    if not letters:
        return
    by_digest = {_digest(each, source): each for each in letters}
    new = set(by_digest)
    for some in _parts(list(by_digest)):
        new -= set(connection.execute(select(DEAD_LETTERS.c.digest).where(DEAD_LETTERS.c.digest.in_(some))).scalars())
    rows = [_row(each, source, digest) for digest, each in by_digest.items() if digest in new]
    if rows:
        connection.execute(DEAD_LETTERS.insert(), rows)
        _count(connection, source, held=len(rows), bytes=sum(row["bytes"] for row in rows), kept=len(rows))
        _make_room(connection, most_bytes)


def read(connection: Connection, *, source: str | None, after: int, limit: int) -> list[KeptLetter]:
    """Return letters with a higher number than ``after``, oldest first."""
    statement = select(DEAD_LETTERS).where(DEAD_LETTERS.c.id > after).order_by(DEAD_LETTERS.c.id).limit(limit)
    if source is not None:
        statement = statement.where(DEAD_LETTERS.c.source == source)
    return [_letter(row) for row in connection.execute(statement)]


def find(connection: Connection, number: int) -> KeptLetter | None:
    """Return one letter, or ``None`` if there is none of this number."""
    row = connection.execute(select(DEAD_LETTERS).where(DEAD_LETTERS.c.id == number)).first()
    return None if row is None else _letter(row)


def remove(connection: Connection, numbers: Iterable[int], *, counted_as: str) -> int:
    """Take letters out and count them as ``replayed``, ``discarded`` or ``dropped``; return how many there were."""
    found = 0
    for some in _parts(list(numbers)):
        table = DEAD_LETTERS.c
        statement = select(table.source, func.count(), func.sum(table.bytes)).where(table.id.in_(some))
        gone = connection.execute(statement.group_by(table.source)).all()
        connection.execute(delete(DEAD_LETTERS).where(table.id.in_(some)))
        for source, count, size in gone:
            _count(connection, source, held=-count, bytes=-int(size), **{counted_as: count})
            found += count
    return found


def give_reason(connection: Connection, number: int, reason: str) -> None:
    """Write down why a letter was not understood this time either."""
    values = {"reason": keepable(reason), "tries": DEAD_LETTERS.c.tries + 1}
    connection.execute(update(DEAD_LETTERS).where(DEAD_LETTERS.c.id == number).values(values))


def counts(connection: Connection) -> dict[str, LetterCounts]:
    """Return the counts of each source that ever had a letter."""
    rows = connection.execute(select(DEAD_LETTER_COUNTS).order_by(DEAD_LETTER_COUNTS.c.source))
    return {
        row.source: LetterCounts(row.held, row.bytes, row.kept, row.dropped, row.discarded, row.replayed)
        for row in rows
    }


def _make_room(connection: Connection, most_bytes: int) -> None:
    held = int(connection.execute(select(func.sum(DEAD_LETTER_COUNTS.c.bytes))).scalar() or 0)
    while held > most_bytes:
        oldest: list[int] = []
        sizes = select(DEAD_LETTERS.c.id, DEAD_LETTERS.c.bytes).order_by(DEAD_LETTERS.c.id).limit(_AT_ONCE)
        for number, size in connection.execute(sizes).all():
            if held <= most_bytes:
                break
            oldest.append(number)
            held -= size
        remove(connection, oldest, counted_as="dropped")


def _count(connection: Connection, source: str, **changes: int) -> None:
    table = DEAD_LETTER_COUNTS
    more = {name: table.c[name] + change for name, change in changes.items()}
    if not connection.execute(update(table).where(table.c.source == source).values(more)).rowcount:
        connection.execute(table.insert().values(source=source, **changes))


def _digest(letter: DeadLetter, source: str) -> str:
    head = json.dumps([source, letter.kind, letter.head], sort_keys=True).encode()
    return sha256(sha256(head).digest() + letter.body).hexdigest()


def _row(letter: DeadLetter, source: str, digest: str) -> dict[str, Any]:
    head = json.dumps(dict(letter.head), sort_keys=True)
    reason = keepable(letter.reason)
    return {
        "source": source,
        "kind": letter.kind,
        "head": head,
        "body": letter.body,
        "reason": reason,
        "arrived": to_microseconds(letter.arrived),
        "bytes": len(letter.body) + len(head) + len(reason) + ROW_BYTES,
        "digest": digest,
    }


def _letter(row: Row[Any]) -> KeptLetter:
    letter = DeadLetter(
        kind=row.kind,
        body=row.body,
        reason=row.reason,
        arrived=from_microseconds(row.arrived),
        head=json.loads(row.head),
    )
    return KeptLetter(row.id, row.source, letter, row.tries)


def _parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))
