"""Single sign-on: which user somebody is whom an issuer names."""

from datetime import datetime

from sqlalchemy.engine import Connection

from ingest.errors import AccessError
from service.access import users
from service.access.issuer import Person
from service.access.record import record_user
from service.access.users import User


def user_of(connection: Connection, person: Person, *, at: datetime) -> User:
    """Return the user that a person is; the first time, the one of their name who comes in no other way.

    From then on the person is known by what the issuer calls them for ever, whatever their name becomes; and nobody
    else whom the issuer gives that name later comes in as they.

    Raises
    ------
    AccessError
        When it is nobody here.
    """
    user = users.of_subject(connection, person.subject)
    if user is None:
        user = _bound(connection, person, at)
    if user.disabled is not None:
        raise AccessError(f"{user.name} may sign in no more; an admin can let you in again")
    return user


def _bound(connection: Connection, person: Person, at: datetime) -> User:
    user = users.find(connection, person.name)
    if user is None:
        raise AccessError(
            f"there is no user {person.name[:100]!r} here; an admin adds one of that name ('andon users add')"
        )
    if user.disabled is None and not users.bind(connection, user, person.subject):
        how = "is another person to the issuer" if user.subject else "signs in with a password here"
        raise AccessError(f"{user.name} {how}; an admin can change that ('andon users single-sign-on NAME')")
    user = users.show(connection, user.id)
    if user.subject:
        record_user(connection, user, "bound to single sign-on", by=user.name, at=at)
    return user
