"""The throttle of signing in: who fails again and again waits longer and longer, by name and by address.

A try counts as failed before it is known how it ends, so that many at once are not more than one after the other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from ingest.statement import insert_into
from service.access.tables import try_table

FREE: Mapping[str, int] = {"name": 5, "address": 30}
"""Tries that cost no waiting; a whole shop floor may share an address."""

LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=1)
"""After so long without a try, all is as at first; longer than anybody waits."""


def subjects(name: str, address: str) -> tuple[str, ...]:
    """Return what a try is counted by: the name, whether or not there is such a user, and the address.

    Examples
    --------
    >>> subjects("ines", "2001:db8::7")
    ('name:ines', 'address:2001:db8::')
    """
    return f"name:{name[:200]}", f"address:{network_of(address)}"


def network_of(address: str) -> str:
    """Return an address; of IPv6 the network of 64 bits, all of which is one sender's."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:200]
    return str(IPv6Address(int(known) >> 64 << 64)) if isinstance(known, IPv6Address) else str(known)


def delay(kind: str, tries: int) -> timedelta:
    """Return how long the next try has to wait after so many that failed.

    Examples
    --------
    >>> [delay("name", tries).seconds for tries in (1, 4, 5, 6, 10, 99)]
    [0, 0, 1, 2, 32, 900]
    """
    over = tries - FREE[kind]
    return min(timedelta(seconds=2 ** min(over, 20)), LONGEST) if over >= 0 else timedelta(0)


def reserve(connection: Connection, name: str, address: str, *, at: datetime) -> timedelta:
    """Count a try, unless one of its subjects has to wait still.

    Returns
    -------
    for how long it has to wait; zero when it may go on
    """
    connection.execute(delete(try_table).where(try_table.c.last < at - FORGOTTEN))
    those = subjects(name, address)
    rows = connection.execute(select(try_table).where(try_table.c.subject.in_(those)))
    # A try that lies ahead was made before the clock was put back.
    waits = [min(row.last, at) + delay(row.subject.partition(":")[0], row.tries) - at for row in rows]
    if (longest := max(waits, default=timedelta(0))) > timedelta(0):
        return longest
    new = insert_into(connection, try_table)
    again = new.on_conflict_do_update(
        index_elements=["subject"], set_={"tries": try_table.c.tries + 1, "last": new.excluded.last}
    )
    connection.execute(again, [{"subject": each, "tries": 1, "last": at} for each in those])
    return timedelta(0)


def forgive(connection: Connection, name: str, address: str) -> None:
    """Forget the tries of a name that came in, and this one of its address."""
    by_name, by_address = subjects(name, address)
    connection.execute(delete(try_table).where(try_table.c.subject == by_name))
    less = update(try_table).where(try_table.c.subject == by_address, try_table.c.tries > 0)
    connection.execute(less.values(tries=try_table.c.tries - 1))
