"""What came of one try to send a message."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Sent:
    """The target has it; ``why`` says what to know besides, if anything."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """It may work later: nobody answers, or the target says that it cannot take it now.

    Attributes
    ----------
    wait : how long the target asks to be left alone
    """

    why: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """The target says that it will never take this message."""

    why: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """It was claimed and not tried; whoever comes next may take it at once."""


Outcome = Sent | Later | Never | GivenBack
