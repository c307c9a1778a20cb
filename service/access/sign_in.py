"""Signing in: name, password and, where a user has one, the code of the second factor.

What is said and how long it takes is the same for a name that nobody has, a user without a password, one
who is disabled, a wrong password and a wrong code.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from ingest.database import Database
from service.access import throttle, users
from service.access.password import LONGEST, Passwords
from service.access.totp import step_of
from service.access.users import User


@dataclass(frozen=True, slots=True)
class Try:
    """What somebody brought to sign in.

    Attributes
    ----------
    code : of the second factor; empty if they brought none
    address : where they are
    """

    name: str
    password: str
    code: str
    address: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try.

    Attributes
    ----------
    user : who it is; ``None`` if anything was wrong
    wait : for how long this name or this address has to wait, since it failed too often; nothing was looked at then
    """

    user: User | None = None
    wait: timedelta = timedelta(0)


def sign_in(state: Database, passwords: Passwords, given: Try, *, at: datetime) -> Outcome:
    """Look at what somebody brought, and return who it is."""
    name = users.folded(given.name)
    with state.write() as connection:
        wait = throttle.reserve(connection, name, given.address, at=at)
        before = users.find(connection, name)
    if wait:
        return Outcome(wait=wait)
    right = passwords.verify(before.password if before else "", given.password[: LONGEST + 1])
    fresh = passwords.hashed(given.password) if right and before and passwords.outdated(before.password) else ""
    with state.write() as connection:
        user = users.find(connection, name)
        if (
            not right
            or user is None
            or before is None
            or user.password != before.password
            or user.disabled is not None
            or not _second_factor(connection, user, given.code, at)
        ):
            user = None
        else:
            throttle.forgive(connection, name, given.address)
            if fresh:
                users.renew_hash(connection, user, fresh)
    structlog.get_logger().info("sign in", user=given.name[:100], address=given.address, came_in=user is not None)
    return Outcome(user)


def _second_factor(connection: Connection, user: User, code: str, at: datetime) -> bool:
    if not user.totp:
        return True
    step = step_of(user.totp, code, at)
    return step is not None and users.use_step(connection, user, step)
