"""◆ Mute: why nobody is called for an alert that is there all the same.

Four reasons, each independent of the others and of the alert's own state (three after ISA-18.2 and OPC UA Part 9):

- *shelved*: a person does not want to be told of this cause for a while: *timed*, whatever happens
  meanwhile, or *one-shot*, until the present or next time that its condition holds is over;
- *suppressed*: a rule of the product says that the alert means nothing now;
- *out of service*: a person took the machine, or one cause of it, out of the watch;
- *silenced*: a person or a program does not want to be told of whatever has these labels, from some time on.

A mute reaches whatever alert of its machine and cause, or with its labels, is there or comes while it
lasts. It has an end from the first moment on; whoever asks at a moment past it gets the alert's true
state, whether or not any process has run in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.alerts.labels import Labels
from service.alerts.matcher import Matcher, matching


class MuteKind(StrEnum):
    """Which of the four reasons, the strongest first."""

    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"
    SILENCED = "silenced"


class Visibility(StrEnum):
    """Whether people are called for an alert; where several mutes reach it, the strongest says why not."""

    SHOWN = "shown"
    OUT_OF_SERVICE = "out of service"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """One reason why nobody is called for alerts of a machine.

    Attributes
    ----------
    uuid : what other systems call it
    machine : of a silence the machine that its matchers name; empty where they name none, or several
    cause : reaches alerts of this cause only; empty for all of the machine
    rule : name of the rule that suppresses; empty for what a person did
    once : whether it is shelved until the condition is over
    by, why : who did it, and the reason
    since, until : lasts in since ≤ t < until, unless it is ended before
    ended_at, ended_by, ended_why : when it was over, by whom, and why; ``None`` and empty while it lasts
    matchers : of a silence: what the labels of an alert must be; empty for the others
    changed_at : when a person last changed it; ``None`` if nobody has
    """

    id: int
    uuid: str
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
    matchers: tuple[Matcher, ...] = ()
    changed_at: datetime | None = None

    def reaches(self, machine: str, cause: str, labels: Labels) -> bool:
        """Return whether it mutes an alert of this machine and cause, with these labels."""
        if self.kind is MuteKind.SILENCED:
            return matching(self.matchers, labels)
        return self.machine == machine and self.reaches_cause(cause)

    def reaches_cause(self, cause: str) -> bool:
        """Return whether it mutes alerts of this cause, of its machine; for a silence see its matchers."""
        return self.cause in ("", cause)

    def holds(self, at: datetime) -> bool:
        """Return whether it lasts at a moment."""
        return self.since <= at < (self.until if self.ended_at is None else min(self.until, self.ended_at))

    @property
    def of(self) -> str:
        """Which alerts it mutes, in words."""
        if self.kind is MuteKind.SILENCED:
            return ", ".join(map(str, self.matchers))
        machine = self.machine or "the plant"
        return f"{machine}, {self.cause}" if self.cause else machine

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
