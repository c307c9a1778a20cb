"""A stream: a source that goes on for as long as it is connected, and whether it is."""

from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol

from ingest.intake import Inlet


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """How a stream is.

    Attributes
    ----------
    connected : whether it listens
    why : why it does not; empty while it does
    since : when that became so; ``None`` before the first try
    received : messages that came, each delivery of one counted
    kept : messages that are durable, or say nothing that is kept, and are acknowledged
    repeated : messages that came again and were durable already
    letters : messages, or parts of one, that became dead letters
    """

    connected: bool = False
    why: str = "not started"
    since: datetime | None = None
    received: int = 0
    kept: int = 0
    repeated: int = 0
    letters: int = 0


class Stream(Protocol):
    """A source that is listened to."""

    name: str

    @property
    def state(self) -> StreamState:
        """How it is; may be asked from any thread."""

    def run(self, inlet: Inlet, stop: Event) -> None:
        """Connect and put what comes into the inlet until told to stop; acknowledge what is durable.

        Returns when it was told to stop and all that it took is settled.

        Raises
        ------
        AndonError
            When it cannot connect, the connection is lost or the inlet fails; run it again.
        """
