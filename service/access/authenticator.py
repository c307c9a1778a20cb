"""The authenticator: from what a request brings to its actor; remembered for a moment, so that it costs nothing."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, NamedTuple

from ingest.database import Database
from service.access import keys, sessions, users
from service.access.actor import Actor
from service.access.keys import Key
from service.access.reach import Reach
from service.access.role import RIGHTS, Right
from service.access.sessions import Lifetime, Session
from service.access.users import User

REMEMBERED = timedelta(seconds=2)
"""A key that another process revokes opens for so long at most; what this process changes counts at once."""

MOST_REMEMBERED = 10_000


class Credential(NamedTuple):
    """What a request brings: the digest of a session's or a key's token."""

    by: Literal["session", "key"]
    digest: str


class Authenticator:
    """Knows who asks.

    Parameters
    ----------
    state : with the tables of ``service.access.tables``
    clock : the real time
    """

    def __init__(self, state: Database, clock: Callable[[], datetime], lifetime: Lifetime) -> None:
        self._state, self._clock, self._lifetime = state, clock, lifetime
        self._lock = Lock()
        self._known: OrderedDict[Credential, tuple[Actor, datetime]] = OrderedDict()
        self._closed = False
        self._open_until: datetime | None = None
        self._changes = 0

    def remembered(self, credential: Credential) -> Actor | None:
        """Return the actor that was found a moment ago."""
        actor, until = self._known.get(credential, (None, None))
        return actor if self._lasts(until) else None

    def is_surely_open(self) -> bool:
        """Say whether there was no user a moment ago; false if somebody has to look."""
        return not self._closed and self._lasts(self._open_until)

    @property
    def is_surely_closed(self) -> bool:
        """Whether there is a user; users are never removed, so it stays so."""
        return self._closed

    def look_whether_open(self) -> bool:
        """Look whether nobody has to sign in, since there is no user."""
        if not self._closed:
            changes = self._changes
            with self._state.read() as connection:
                self._closed = users.any_user(connection)
            if changes == self._changes:
                self._open_until = self._clock() + REMEMBERED
        return not self._closed

    def look_up(self, credential: Credential) -> Actor | None:
        """Find whose session or key it is; ``None`` if it opens nothing."""
        now, changes = self._clock(), self._changes
        find = self._by_session if credential.by == "session" else self._by_key
        found = find(credential.digest, now)
        with self._lock:
            if found is None:
                self._known.pop(credential, None)
                return None
            actor, until = found
            # What changed while we looked may not be forgotten by remembering what was before.
            if changes == self._changes:
                self._known[credential] = actor, min(until, now + REMEMBERED)
                self._known.move_to_end(credential)
                if len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return actor

    def forget(self) -> None:
        """Look again at all: users, sessions or keys have changed."""
        with self._lock:
            self._changes += 1
            self._known.clear()
            self._open_until = None

    def _lasts(self, until: datetime | None) -> bool:
        """Say whether what was found a moment ago still counts; nothing does that the clock says is to come."""
        return until is not None and until - REMEMBERED <= self._clock() < until

    def _by_session(self, digest: str, now: datetime) -> tuple[Actor, datetime] | None:
        with self._state.read() as connection:
            session = sessions.find(connection, digest, at=now, lifetime=self._lifetime)
            user = users.show(connection, session.account) if session else None
        if session is None or user is None or user.disabled is not None:
            return None
        if now - session.seen >= sessions.SEEN_EVERY:
            with self._state.write() as connection:
                sessions.touch(connection, session, at=now)
        return actor_of(user, session), min(session.until, session.seen + self._lifetime.idle)

    def _by_key(self, digest: str, now: datetime) -> tuple[Actor, datetime] | None:
        with self._state.read() as connection:
            key = keys.find(connection, digest)
            owner = users.show(connection, key.account) if key is not None and key.account is not None else None
        if key is None or not key.works(now) or (owner is not None and owner.disabled is not None):
            return None
        if key.used is None or now - key.used >= keys.USED_EVERY:
            with self._state.write() as connection:
                keys.touch(connection, key, at=now)
        return actor_with(key, owner), key.until


def actor_of(user: User, session: Session) -> Actor:
    """Return the actor of a session."""
    return Actor(
        name=user.name,
        by="session",
        rights=RIGHTS[user.role],
        reach=user.reach,
        account=user.id,
        session=session.digest,
    )


def actor_with(key: Key, owner: User | None) -> Actor:
    """Return the actor of a key: a user's own can never do more than the user can by now."""
    rights: frozenset[Right] = key.rights
    reach: Reach = key.reach
    name = f"{key.name} (key)"
    if owner is not None:
        rights, reach, name = rights & RIGHTS[owner.role], owner.reach, f"{owner.name} ({key.name})"
    return Actor(name=name, by="key", rights=rights, reach=reach)
