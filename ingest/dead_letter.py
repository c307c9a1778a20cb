"""◆ A dead letter: what could not be understood, why, and the bytes to try again once the plant file is mended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Bytes that could not be understood as readings or events.

    Attributes
    ----------
    kind : how the bytes are read again: a row of ``ingest.decode.again.DECODERS``
    body : the bytes, as small a part of what came as makes sense alone: a row, a cell, a message
    reason : what is wrong, and what would be right
    arrived : when it came; readings that are understood later keep it as their time of arrival
    head : what the decoder must know beside the bytes, such as the topic of a message
    """

    kind: str
    body: bytes
    reason: str
    arrived: datetime
    head: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter as it lies in the store.

    Attributes
    ----------
    number : grows with arrival, never used twice
    source : who sent it
    tries : how often it was read again without success
    """

    number: int
    source: str
    letter: DeadLetter
    tries: int


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """Dead letters of one source.

    Attributes
    ----------
    held, bytes : how many there are now, and how much room they take
    kept : how many there ever were
    dropped : how many of them the bound pushed out, oldest first
    discarded : how many of them a person threw away
    replayed : how many of them were understood in the end
    """

    held: int = 0
    bytes: int = 0
    kept: int = 0
    dropped: int = 0
    discarded: int = 0
    replayed: int = 0
