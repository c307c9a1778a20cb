"""What happens to users and keys, as records in the audit trail, in the transaction of the change itself."""

from datetime import datetime

from sqlalchemy.engine import Connection

from service.access.keys import Key
from service.access.users import User
from service.audit.record import Entry, Subject
from service.audit.trail import append


def record_user(connection: Connection, user: User, what: str, *, by: str, at: datetime) -> None:
    """Write down what was done to a user, and what they may do since; no password, link or secret."""
    detail = {"role": user.role.value, "reach": user.reach.words(), "enabled": user.disabled is None}
    append(connection, [Entry(at=at, by=by, subject=Subject.USER, name=user.name, what=what, detail=detail)])


def record_key(connection: Connection, key: Key, what: str, *, by: str, at: datetime) -> None:
    """Write down what was done to a key, and what it opens; the key itself is kept nowhere."""
    detail = {
        "key": key.name,
        "rights": sorted(each.value for each in key.rights),
        "reach": key.reach.words(),
        "until": key.until.isoformat(),
        "user": key.account,
    }
    append(connection, [Entry(at=at, by=by, subject=Subject.KEY, name=str(key.id), what=what, detail=detail)])
