"""Roles, and the rights that each has: one table."""

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """Something that one may do; an operation needs exactly one."""

    READ = "read"
    SEND = "send"
    TELL = "tell"
    ACT = "act"
    JUDGE = "judge"
    RUN = "run"
    MANAGE = "manage"


class Role(StrEnum):
    """What a person is to the plant."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    SCIENTIST = "scientist"
    ADMIN = "admin"


MEANING: Mapping[Right, str] = {
    Right.READ: "see the plant, its machines, readings, alerts, losses and models",
    Right.SEND: "send readings, and what an edge could not understand",
    Right.TELL: "tell what happened: events, and what became of work orders",
    Right.ACT: (
        "assign, acknowledge, close, comment, shelve and reset alerts; decide on work orders; "
        "take machines out of service"
    ),
    Right.JUDGE: "promote models and roll them back",
    Right.RUN: "run, pause and back-fill jobs; send messages again; replay and drop dead letters",
    Right.MANAGE: "make and change users and keys",
}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.TELL, Right.ACT}),
    Role.ENGINEER: frozenset({Right.READ, Right.TELL, Right.ACT, Right.SEND, Right.RUN}),
    Role.SCIENTIST: frozenset({Right.READ, Right.TELL, Right.JUDGE, Right.RUN}),
    Role.ADMIN: frozenset(Right),
}
"""What each role may do, within the reach of whoever has it."""

OPEN_RIGHTS = frozenset(Right) - {Right.MANAGE}
"""What everybody may do while there is no user: all but to make one, which takes the command line."""

KEY_RIGHTS = frozenset(Right) - {Right.MANAGE}
"""What a key may be given: a key that makes keys would outlive its own end."""
