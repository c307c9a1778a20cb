"""◆ Record: one change that a person or the product made, chained to the record before it.

The chain of a record is SHA-256 over the chain of the one before it, 32 bytes, and over its own canonical
bytes: a JSON array of number, time, person, subject, name, what, why and details, all of it ASCII without
spaces, the time in microseconds since 1970 UTC, the details as the text that is kept. So a record that is
altered, removed, put in or moved breaks the chain there, and all chains after it would have to be made anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

BEGIN = "0" * 64
"""The chain before the first record."""

ANDON = "andon"
"""Who did it, when the product itself did, or nobody said."""

_array = json.JSONEncoder(separators=(",", ":")).encode
_details = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode


class Subject(StrEnum):
    """What a change was made to."""

    ALERT = "alert"
    MUTE = "mute"
    MODEL = "model"
    JOB = "job"
    PLANT = "plant"
    FLOOR = "floor"
    WORK_ORDER = "work order"
    USER = "user"
    KEY = "key"
    TRAIL = "trail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change, before it has its place in the trail.

    Attributes
    ----------
    by : the person, or ``andon`` when the product itself did it
    subject, name : what was changed: an alert or mute by its number, a model or job by its name
    what : what was done, in the words of the subject's own history
    detail : how it stands after it, such as the state; plain values only
    """

    at: datetime
    by: str
    subject: Subject
    name: str
    what: str
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One change in its place.

    Attributes
    ----------
    number : counts up from 1 without a gap
    chain : 64 hexadecimal digits
    """

    number: int
    at: datetime
    by: str
    subject: Subject
    name: str
    what: str
    why: str
    detail: Mapping[str, Any]
    chain: str


def details(detail: Mapping[str, Any]) -> str:
    """Return details as the text that is kept.

    Examples
    --------
    >>> details({"state": "normal", "level": 0.5})
    '{"level":0.5,"state":"normal"}'
    """
    return _details(detail)


def link(before: str, fields: tuple[Any, ...]) -> str:
    """Return the chain of a record.

    Parameters
    ----------
    before : chain of the record before it, ``BEGIN`` for the first
    fields : what the record says, in the order of the canonical bytes

    Raises
    ------
    ValueError
        If ``before`` is no chain, or a field is nothing that a record can hold.

    Examples
    --------
    >>> link(BEGIN, (1, 0, "Ines", "alert", "7", "acknowledged", "", "{}"))[:16]
    '6566c25f9be994d4'
    """
    if not all(isinstance(each, str | int) for each in fields):
        raise ValueError(f"a record holds whole numbers and texts only, not {fields!r}")
    return sha256(bytes.fromhex(before) + _array(fields).encode()).hexdigest()
