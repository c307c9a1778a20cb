"""Single sign-on: which user somebody is whom an issuer names."""

from datetime import datetime

from sqlalchemy.engine import Connection

from ingest.errors import AccessError
from service.access import users
from service.access.issuer import Person
from service.access.record import record_user
from service.access.users import User


def user_of(connection: Connection, person: Person, *, at: datetime) -> User:
    """Return the user that a person is; the first time, the one of their name who waits for them.

    From then on the person is known by what the issuer calls them for ever, whatever their name becomes; and nobody
    else whom the issuer gives that name later comes in as they.

    Raises
    ------
    AccessError
        When it is nobody here.
    """
    known = users.of_subject(connection, person.subject)
    user = known or users.find(connection, person.name)
    if user is None:
        raise AccessError(f"there is no user {person.name[:100]!r} here; an admin adds one of that name")
    if user.disabled is not None:
        raise AccessError(f"{user.name} may sign in no more; an admin can let you in again")
    if known is None:
        if not is_called(user.name, person.name) or not users.bind(connection, user, person.subject, at=at):
            raise AccessError(
                f"{user.name} does not wait for single sign-on; an admin can change that"
                f" ('andon users single-sign-on {user.name}')"
            )
        record_user(connection, user, "bound to single sign-on", by=user.name, at=at)
    return users.show(connection, user.id)


def is_called(name: str, other: str) -> bool:
    """Say whether an issuer means a user by a name: letter by letter, since it may know both of two that look alike.

    Examples
    --------
    >>> is_called("Ada", "ada"), is_called("Karl", "\u212aarl"), is_called("strasse", "straße")
    (True, False, False)
    """
    return name == other or (name.isascii() and other.isascii() and name.lower() == other.lower())
