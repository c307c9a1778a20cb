"""Keys of programs: shown once, kept as a digest, for some rights, a part of the plant and a time.

Every function works inside the caller's transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.engine import Connection

from ingest.errors import AccessError, UnknownNameError
from ingest.keepable import why_unkeepable
from service.access.reach import EVERYTHING, Reach
from service.access.role import KEY_RIGHTS, Right
from service.access.tables import key_table
from service.access.token import digest_of, new_token

BEGINS = "andon_"
"""What every key begins with, so that one that got where it does not belong can be searched for."""

LONGEST = timedelta(days=2 * 366)
DEFAULT = timedelta(days=365)
OVERLAP = timedelta(days=7)
LONGEST_NAME = 100
USED_EVERY = timedelta(hours=1)
_SHOWN = len(BEGINS) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is known of a key.

    Attributes
    ----------
    prefix : its first letters
    account : user whose own it is; ``None`` for one of the plant
    reach : of a user's own key, what the user reaches counts in its place
    used : when it was last used, to within an hour; ``None`` if never
    """

    id: int
    name: str
    prefix: str
    account: int | None
    rights: frozenset[Right]
    reach: Reach
    made_by: str
    created: datetime
    until: datetime
    used: datetime | None
    revoked: datetime | None

    def works(self, at: datetime) -> bool:
        """Say whether it opens anything at a moment."""
        return self.revoked is None and at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A key that somebody wants to have."""

    name: str
    rights: Collection[Right]
    reach: Reach = EVERYTHING
    lasting: timedelta = DEFAULT
    account: int | None = None


def make(connection: Connection, wish: Wish, *, by: str, at: datetime) -> tuple[Key, str]:
    """Make a key, and return what is known of it and the key itself, which is kept nowhere.

    Raises
    ------
    AccessError
        If it would have no name, no right or one that keys do not have, or last for too long.
    """
    name = " ".join(wish.name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or why_unkeepable(name):
        raise AccessError(f"{name[:200]!r} is no name of a key; write 1 to {LONGEST_NAME} printable letters")
    if not wish.rights or not set(wish.rights) <= KEY_RIGHTS:
        may = ", ".join(each.value for each in Right if each in KEY_RIGHTS)
        raise AccessError(f"a key has some of these rights: {may}")
    if not timedelta(0) < wish.lasting <= LONGEST:
        raise AccessError(f"a key lasts for some time, {LONGEST.days} days at most; rotate it before it ends")
    return _keep(connection, wish, name, by=by, at=at)


def rotate(connection: Connection, key: Key, *, by: str, at: datetime, overlap: timedelta = OVERLAP) -> tuple[Key, str]:
    """Make a key that takes the place of another, which goes on for a while, so that programs can be changed over.

    Raises
    ------
    AccessError
        If the old one opens nothing any more, or the overlap is below zero.
    """
    if not key.works(at):
        raise AccessError(f"key {key.id} ({key.name}) is over; make a new one")
    if overlap < timedelta(0):
        raise AccessError("the old key cannot have ended before now; write an overlap of zero or more")
    lasting = key.until - key.created
    wish = Wish(name=key.name, rights=key.rights, reach=key.reach, lasting=lasting, account=key.account)
    change = update(key_table).where(key_table.c.id == key.id)
    connection.execute(change.values(until=min(key.until, at + overlap)))
    return _keep(connection, wish, key.name, by=by, at=at)


def revoke(connection: Connection, key: Key, *, at: datetime) -> None:
    """Let a key open nothing any more."""
    revoked = update(key_table).where(key_table.c.id == key.id, key_table.c.revoked.is_(None))
    connection.execute(revoked.values(revoked=at))


def find(connection: Connection, digest: str) -> Key | None:
    """Return the key of a digest, whether or not it still works."""
    row = connection.execute(select(key_table).where(key_table.c.digest == digest)).one_or_none()
    return None if row is None else _key(row)


def show(connection: Connection, number: int, *, account: int | None = None) -> Key:
    """Return one key (of a user); ``UnknownNameError`` if there is none."""
    query = select(key_table).where(key_table.c.id == number)
    if account is not None:
        query = query.where(key_table.c.account == account)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownNameError(f"no key {number}; 'andon keys list' names them")
    return _key(row)


def list_keys(connection: Connection, *, account: int | None = None, works_at: datetime | None = None) -> list[Key]:
    """Return keys (of a user, or that work at a moment), newest first."""
    query = select(key_table).order_by(key_table.c.id.desc())
    if account is not None:
        query = query.where(key_table.c.account == account)
    found = [_key(row) for row in connection.execute(query)]
    return [each for each in found if works_at is None or each.works(works_at)]


def touch(connection: Connection, key: Key, *, at: datetime) -> None:
    """Write down that a key was used."""
    column = key_table.c
    later = or_(column.used.is_(None), column.used < at)
    connection.execute(update(key_table).where(column.id == key.id, later).values(used=at))


def _keep(connection: Connection, wish: Wish, name: str, *, by: str, at: datetime) -> tuple[Key, str]:
    secret = BEGINS + new_token()
    row = {
        "name": name,
        "prefix": secret[:_SHOWN],
        "digest": digest_of(secret),
        "account": wish.account,
        "rights": sorted(each.value for each in wish.rights),
        "reach": wish.reach.parts,
        "made_by": by,
        "created": at,
        "until": at + wish.lasting,
    }
    number = connection.execute(insert(key_table).values(row).returning(key_table.c.id)).scalar_one()
    return show(connection, number), secret


def _key(row: Row[Any]) -> Key:
    fields = {name: row._mapping[name] for name in Key.__dataclass_fields__}
    return Key(**fields | {"rights": frozenset(map(Right, row.rights)), "reach": Reach.kept(row.reach)})
