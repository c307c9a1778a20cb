"""A stream: a source that goes on for as long as it is connected, and whether it is."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    notice : what a person should know although it listens, such as that messages are lost; empty if nothing
    overflowed : how often a sender said that it dropped what we did not take in time
    """

    connected: bool = False
    why: str = "not started"
    since: datetime | None = None
    received: int = 0
    kept: int = 0
    repeated: int = 0
    letters: int = 0
    notice: str = ""
    overflowed: int = 0


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


class Standing:
    """The state of a stream, kept by the thread that runs it.

    Parameters
    ----------
    clock : returns the present moment, aware
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.state = StreamState()
        self._clock = clock

    def say(self, *, connected: bool, why: str = "") -> None:
        """Change what the state says of the connection."""
        if (connected, why) != (self.state.connected, self.state.why):
            self.state = replace(self.state, connected=connected, why=why, since=self._clock())

    def notice(self, text: str) -> None:
        """Change what a person should know."""
        self.state = replace(self.state, notice=text)

    def count(self, **more: int) -> None:
        """Add to what the state counts."""
        self.state = replace(self.state, **{name: getattr(self.state, name) + each for name, each in more.items()})


def known_as(*names: str) -> str:
    """Return what we are called at a broker, made of the names of plant and stream.

    Examples
    --------
    >>> known_as("Stamping works", "hall 3")
    'andon-stamping-works-hall-3'
    """
    return re.sub("[^a-z0-9]+", "-", "-".join(("andon", *names)).lower()).strip("-")
