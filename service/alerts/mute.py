"""◆ Mute: why nobody is called for an alert that is there all the same.

Three reasons, each independent of the others and of the alert's own state (ISA-18.2, OPC UA Part 9):

- *shelved*: a person does not want to be told of this cause for a while: *timed*, whatever happens
  meanwhile, or *one-shot*, until the present or next time that its condition holds is over;
- *suppressed*: a rule of the product says that the alert means nothing now;
- *out of service*: a person took the machine, or one cause of it, out of the watch.

A mute reaches whatever alert of its machine and cause is there, or comes while it lasts. It has an end
from the first moment on; whoever asks at a moment past it gets the alert's true state, whether or not
any process has run in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MuteKind(StrEnum):
    """Which of the three reasons, the strongest first."""

    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"


class Visibility(StrEnum):
    """Whether people are called for an alert; where several mutes reach it, the strongest says why not."""

    SHOWN = "shown"
    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One reason why nobody is called for alerts of a machine.

    Attributes
    ----------
    cause : reaches alerts of this cause only; empty for all of the machine
    rule : name of the rule that suppresses; empty for what a person did
    once : whether it is shelved until the condition is over
    by, why : who did it, and the reason
    since, until : lasts in since ≤ t < until, unless it is ended before
    ended_at, ended_by, ended_why : when it was over, by whom, and why; ``None`` and empty while it lasts
    """

    id: int
    kind: MuteKind
    machine: str
    cause: str
    rule: str
    once: bool
    by: str
    why: str
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""

    def reaches(self, machine: str, cause: str) -> bool:
        """Return whether it mutes alerts of this machine and cause."""
        return self.machine == machine and self.cause in ("", cause)

    def holds(self, at: datetime) -> bool:
        """Return whether it lasts at a moment."""
        return self.since <= at < (self.until if self.ended_at is None else min(self.until, self.ended_at))

    @property
    def name(self) -> str:
        """What it is, in words."""
        if self.kind is MuteKind.SHELVED:
            return "shelved once" if self.once else "shelved"
        return f"{self.kind.value}: {self.rule}" if self.rule else self.kind.value


def visibility(mutes: Sequence[Mute]) -> Visibility:
    """Return whether people are called for an alert that these mutes reach.

    Examples
    --------
    >>> visibility([])
    <Visibility.SHOWN: 'shown'>
    """
    kinds = {each.kind for each in mutes}
    return next((Visibility(kind.value) for kind in MuteKind if kind in kinds), Visibility.SHOWN)
