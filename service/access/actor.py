"""◆ The actor: who asks, what they may do, and which part of the plant there is for them."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from service.access.reach import EVERYTHING, NOTHING, Reach
from service.access.role import OPEN_RIGHTS, Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever sends a request.

    Attributes
    ----------
    name : as it stands in histories; empty for nobody and in open mode, where people say it themselves
    by : how we know: a session, a key, or that nobody has to say (open)
    account : number of the user; ``None`` for keys of no person and in open mode
    session : digest of the session; empty where there is none
    """

    name: str = ""
    by: Literal["session", "key", "open", "nobody"] = "nobody"
    rights: frozenset[Right] = frozenset()
    reach: Reach = NOTHING
    account: int | None = None
    session: str = ""


NOBODY = Actor()
"""Without a session or a key, where there are users."""

OPEN = Actor(by="open", rights=OPEN_RIGHTS, reach=EVERYTHING)
"""Everybody, while there is no user."""

signed_in: ContextVar[str] = ContextVar("signed_in", default="")
"""Name of whoever sends the request that is being answered; empty where nobody is known.

What a request says of its sender is believed only then: see ``told_by``.
"""


def told_by(said: str) -> str:
    """Return who does something: whoever is signed in, whatever is said."""
    return signed_in.get() or said
