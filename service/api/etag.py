"""ETags of alerts and mutes: a change that was decided on an older state than the present is refused.

The tag of an alert is the newest line of its history: it stands for what was decided and what its
state is. A level that moves, or money at stake that grows with the hour, is no other tag; nobody should
have to read an alert again because of them.
"""

from typing import Annotated

from fastapi import Header
from sqlalchemy.engine import Connection

from service.alerts.line import newest_line
from service.alerts.mute import Mute
from service.api.problem import ProblemError
from service.database import microseconds

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag that the caller has seen; 412 if there is another one by now. Left out, only what the "
        "present state forbids is refused.",
    ),
]


def alert_tag(connection: Connection, number: int) -> str:
    """Return the ETag of an alert."""
    return f'"{newest_line(connection, number)}"'


def mute_tag(mute: Mute) -> str:
    """Return the ETag of a mute."""
    return f'"{mute.id}-{microseconds(mute.until)}-{"lasts" if mute.ended_at is None else "over"}"'


def refuse_unless_matched(wanted: str | None, tag: str, what: str) -> None:
    """Refuse a change that was decided on another state.

    Raises
    ------
    ProblemError
        412, with the present tag as a header.

    Examples
    --------
    >>> refuse_unless_matched('"7", "8"', '"8"', "alert 1")
    >>> refuse_unless_matched("*", '"8"', "alert 1")
    >>> refuse_unless_matched('"7"', '"8"', "alert 1")
    Traceback (most recent call last):
    service.api.problem.ProblemError: alert 1 has changed since you read it; read it again and decide anew
    """
    if wanted is None or wanted.strip() == "*":
        return
    if tag not in [each.strip() for each in wanted.split(",")]:
        detail = f"{what} has changed since you read it; read it again and decide anew"
        raise ProblemError(412, detail, headers={"ETag": tag})
