"""Users: the book of people who may sign in.

Every function works inside the caller's transaction, as those of ``service.alerts.book`` do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ingest.errors import AccessError, UnknownNameError
from ingest.keepable import why_unkeepable
from service.access import links, sessions
from service.access.reach import Reach
from service.access.role import Role
from service.access.tables import account_table
from service.audit.record import ANDON

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in.

    Attributes
    ----------
    password : Argon2id; empty until one is set
    totp : secret of the second factor; empty without one
    totp_step : newest step whose code was used
    disabled : since when they may not sign in any more; ``None`` if they may
    subject : who they are to the issuer of single sign-on; ``None`` if they do not come in by it
    awaits_subject : whether they will, as whom the issuer next gives their name
    """

    id: int
    name: str
    role: Role
    reach: Reach
    password: str
    totp: str
    totp_step: int
    created: datetime
    disabled: datetime | None
    subject: str | None
    awaits_subject: bool


def any_user(connection: Connection) -> bool:
    """Say whether there is or ever was a user."""
    return connection.scalar(select(account_table.c.id).limit(1)) is not None


def list_users(connection: Connection) -> list[User]:
    """Return all users by name, disabled ones as well."""
    return [_user(row) for row in connection.execute(select(account_table).order_by(account_table.c.folded))]


def find(connection: Connection, name: str) -> User | None:
    """Return the user of a name, however it is written; ``None`` if there is none."""
    row = connection.execute(select(account_table).where(account_table.c.folded == folded(name))).one_or_none()
    return None if row is None else _user(row)


def of_subject(connection: Connection, subject: str) -> User | None:
    """Return the user that an issuer's subject is; ``None`` if there is none."""
    row = connection.execute(select(account_table).where(account_table.c.subject == subject)).one_or_none()
    return None if row is None else _user(row)


def named(connection: Connection, name: str) -> User:
    """Return the user of a name; ``UnknownNameError`` if there is none."""
    if (user := find(connection, name)) is None:
        raise UnknownNameError(f"no user {name[:200]!r}; 'andon users list' names them")
    return user


def show(connection: Connection, number: int) -> User:
    """Return one user; ``UnknownNameError`` if there is none."""
    row = connection.execute(select(account_table).where(account_table.c.id == number)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no user {number}; 'andon users list' names them")
    return _user(row)


def add(connection: Connection, name: str, *, role: Role, reach: Reach, at: datetime) -> User:
    """Add a user, who cannot sign in before a password is set by a link.

    Raises
    ------
    AccessError
        If the name is taken, also with other capitals, or is none.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or why_unkeepable(name):
        raise AccessError(f"{name[:200]!r} is no name of a user; write 1 to {LONGEST_NAME} printable letters")
    if folded(name) == ANDON:
        raise AccessError(f"{name!r} is what histories call the product itself; choose another name")
    if find(connection, name) is not None:
        raise AccessError(f"there is a user {name!r} already; a name stays one person's, so choose another")
    values = {"name": name, "folded": folded(name), "role": role, "reach": reach.parts, "created": at}
    try:
        number = connection.execute(insert(account_table).values(values).returning(account_table.c.id)).scalar_one()
    except IntegrityError as error:
        raise AccessError(f"there is a user {name!r} already; choose another name") from error
    return show(connection, number)


def give(connection: Connection, user: User, *, role: Role | None = None, reach: Reach | None = None) -> User:
    """Give a user another role or reach, from the next request on.

    Raises
    ------
    AccessError
        If nobody could manage users any more.
    """
    changes: dict[str, Any] = {} if role is None else {"role": role}
    changes |= {} if reach is None else {"reach": reach.parts}
    if changes:
        connection.execute(update(account_table).where(account_table.c.id == user.id).values(changes))
    _refuse_without_admin(connection)
    return show(connection, user.id)


def disable(connection: Connection, user: User, *, at: datetime) -> User:
    """Let a user sign in no more; sessions, links and keys of theirs end at once.

    Raises
    ------
    AccessError
        If nobody could manage users any more.
    """
    connection.execute(update(account_table).where(account_table.c.id == user.id).values(disabled=user.disabled or at))
    _refuse_without_admin(connection)
    sessions.end_all(connection, user.id)
    links.end_all(connection, user.id, at=at)
    return show(connection, user.id)


def enable(connection: Connection, user: User) -> User:
    """Let a disabled user sign in again."""
    connection.execute(update(account_table).where(account_table.c.id == user.id).values(disabled=None))
    return show(connection, user.id)


def await_subject(connection: Connection, user: User, *, at: datetime) -> User:
    """Let a user come in by single sign-on, as whom the issuer next gives their name; password and sessions end."""
    change = update(account_table).where(account_table.c.id == user.id)
    connection.execute(change.values(password="", totp="", subject=None, awaits_subject=True))
    sessions.end_all(connection, user.id)
    links.end_all(connection, user.id, at=at)
    return show(connection, user.id)


def forget_subject(connection: Connection, user: User) -> User:
    """Let a user come in by single sign-on no more; sessions end."""
    change = update(account_table).where(account_table.c.id == user.id)
    connection.execute(change.values(subject=None, awaits_subject=False))
    sessions.end_all(connection, user.id)
    return show(connection, user.id)


def bind(connection: Connection, user: User, subject: str, *, at: datetime) -> bool:
    """Let a subject come in as a user, and say whether the user waited for one; no link sets a password then."""
    waiting = (account_table.c.id == user.id) & account_table.c.awaits_subject
    change = update(account_table).where(waiting).values(subject=subject, awaits_subject=False)
    if connection.execute(change).rowcount != 1:
        return False
    links.end_all(connection, user.id, at=at)
    return True


def set_password(connection: Connection, user: User, hashed: str) -> None:
    """Set a password; every session of the user ends, and so does single sign-on."""
    change = update(account_table).where(account_table.c.id == user.id)
    connection.execute(change.values(password=hashed, subject=None, awaits_subject=False))
    sessions.end_all(connection, user.id)


def renew_hash(connection: Connection, user: User, hashed: str) -> None:
    """Keep the same password with the parameters of today; sessions stay."""
    same = (account_table.c.id == user.id) & (account_table.c.password == user.password)
    connection.execute(update(account_table).where(same).values(password=hashed))


def set_totp(connection: Connection, user: User, secret: str, *, step: int = 0) -> None:
    """Set the secret of the second factor, empty for none; ``step`` is the newest one whose code was used."""
    change = update(account_table).where(account_table.c.id == user.id)
    connection.execute(change.values(totp=secret, totp_step=step))


def use_step(connection: Connection, user: User, step: int) -> bool:
    """Take the code of a step, and say whether it was not taken before."""
    fresh = (account_table.c.id == user.id) & (account_table.c.totp_step < step)
    return connection.execute(update(account_table).where(fresh).values(totp_step=step)).rowcount == 1


def folded(name: str) -> str:
    """Return a name as it is compared: no two users have names that only capitals or blanks tell apart."""
    return " ".join(name.split()).casefold()


def _refuse_without_admin(connection: Connection) -> None:
    column = account_table.c
    left = (column.role == Role.ADMIN.value) & column.disabled.is_(None) & column.reach.is_(None)
    if not connection.scalar(select(func.count()).where(left)):
        raise AccessError("nobody could manage users any more; make somebody else an admin of the whole plant first")


def _user(row: Row[Any]) -> User:
    fields = {name: row._mapping[name] for name in User.__dataclass_fields__}
    return User(**fields | {"role": Role(row.role), "reach": Reach.kept(row.reach)})
