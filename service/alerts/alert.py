"""◆ Alert: a finding among people, from the moment it is raised to its verdict.

States and transitions are the part of ISA-18.2 that predictive alerts need:

```
                       condition over
  unacknowledged ───────────────────────▶ returned-unacknowledged
        │   ◀───────────────────────────       │
        │         condition back               │
        │ acknowledge                          │ acknowledge
        ▼              condition over          ▼
  acknowledged ─────────────────────────▶   normal
```

Closing with a verdict leads from every state to normal, once. An acknowledged alert becomes normal
by itself when its condition is over, so a verdict may still be given to an alert that is normal:
otherwise the failure that an engineer prevented could never be recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ingest.errors import IllegalTransitionError
from models.finding import Evidence, FindingKind


class AlertState(StrEnum):
    """Where an alert stands."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned-unacknowledged"
    NORMAL = "normal"


LIVE_STATES = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED, AlertState.RETURNED)
"""States of an open alert; a machine has at most one open alert of each cause."""


class Verdict(StrEnum):
    """What an inspection found; only ``right``, ``prevented`` and ``wrong`` count in a track record."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_INSPECTED = "not inspected"
    PREVENTED = "prevented"


class Happening(StrEnum):
    """What can happen to an alert."""

    RAISED = "raised"
    CHANGED = "changed"
    ACKNOWLEDGED = "acknowledged"
    CONDITION_OVER = "condition over"
    CONDITION_BACK = "condition back"
    CLOSED = "closed"
    COMMENT = "comment"


TRANSITIONS: dict[tuple[AlertState, Happening], AlertState] = {
    (AlertState.UNACKNOWLEDGED, Happening.ACKNOWLEDGED): AlertState.ACKNOWLEDGED,
    (AlertState.UNACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.RETURNED,
    (AlertState.ACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.NORMAL,
    (AlertState.RETURNED, Happening.ACKNOWLEDGED): AlertState.NORMAL,
    (AlertState.RETURNED, Happening.CONDITION_BACK): AlertState.UNACKNOWLEDGED,
    **{(state, Happening.CLOSED): AlertState.NORMAL for state in AlertState},
    **{(state, Happening.COMMENT): state for state in AlertState},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One matter of one machine that somebody should look at.

    Attributes
    ----------
    number : counts up from 1 over the whole plant
    cause : what it is about; at most one alert of a machine and cause is live
    raised_at : when people could first see it
    condition_begin, condition_end : window ends between which the condition held; ``condition_end`` is
        ``None`` while it lasts
    act_before : later than this, acting is too late for the model's needed lead
    level : the model's newest number, 0 to 1
    sentence : one plain sentence with numbers
    acknowledged_by, acknowledged_at : who saw it first, and when; empty and ``None`` before
    verdict : ``None`` until it is closed
    note : what was found, in the words of the person who closed it
    """

    number: int
    machine: str
    cause: str
    kind: FindingKind
    model: str
    version: str
    state: AlertState
    raised_at: datetime
    condition_begin: datetime
    condition_end: datetime | None = None
    act_before: datetime
    level: float
    sentence: str = ""
    evidence: tuple[Evidence, ...] = ()
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    verdict: Verdict | None = None
    note: str = ""

    @property
    def live(self) -> bool:
        """Whether it still asks for somebody's time."""
        return self.state in LIVE_STATES

    def after(self, happening: Happening) -> AlertState:
        """Return the state that a happening leads to.

        Raises
        ------
        IllegalTransitionError
            If it cannot happen to an alert in this state, or the alert was closed before.
        """
        if self.verdict is not None and happening is not Happening.COMMENT:
            raise IllegalTransitionError(
                f"alert {self.number} was closed as {self.verdict.value!r} by {self.closed_by}; "
                f"{happening.value!r} is not possible any more, add a comment instead"
            )
        target = TRANSITIONS.get((self.state, happening))
        if target is None:
            possible = ", ".join(repr(h.value) for s, h in TRANSITIONS if s is self.state)
            raise IllegalTransitionError(
                f"alert {self.number} is {self.state.value}; {happening.value!r} is not possible, only {possible}"
            )
        return target


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One line of an alert's history; lines are added, never changed.

    Attributes
    ----------
    by : the person, or ``andon`` when the product itself did it
    why : a comment, a verdict with its note, or what changed
    state, level : state and level of the alert after it
    """

    alert: int
    at: datetime
    happening: Happening
    state: AlertState
    by: str
    why: str = ""
    level: float
