"""Links by which a user sets a password: each opens once, within a day, and only the newest one of a user."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from service.access.tables import link_table
from service.access.token import digest_of, new_token

LASTS = timedelta(days=1)
PATH = "/set-password"


def make(connection: Connection, account: int, *, at: datetime) -> str:
    """Make a link for a user, and return the token in it, which is kept nowhere; older links open no more."""
    end_all(connection, account, at=at)
    token = new_token()
    row = {"digest": digest_of(token), "account": account, "created": at, "until": at + LASTS}
    connection.execute(insert(link_table).values(**row))
    return token


def account_of(connection: Connection, token: str, *, at: datetime) -> int | None:
    """Return whose link it is, if it still opens; it is not used up by that."""
    column = link_table.c
    query = select(column.account).where(column.digest == digest_of(token), column.used.is_(None), column.until > at)
    return connection.scalar(query)


def use(connection: Connection, token: str, *, at: datetime) -> int | None:
    """Use a link up, and return whose it was; ``None`` if it opens no more."""
    column = link_table.c
    fresh = update(link_table).where(column.digest == digest_of(token), column.used.is_(None), column.until > at)
    return connection.scalar(fresh.values(used=at).returning(column.account))


def end_all(connection: Connection, account: int, *, at: datetime) -> None:
    """Let no link of a user open any more."""
    column = link_table.c
    connection.execute(update(link_table).where(column.account == account, column.used.is_(None)).values(used=at))


def address_of(base: str, token: str) -> str:
    """Return the address that a person opens.

    Examples
    --------
    >>> address_of("https://andon.example/", "abc")
    'https://andon.example/set-password?link=abc'
    """
    return f"{base.rstrip('/')}{PATH}?link={token}"
