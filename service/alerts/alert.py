"""◆ Alert: a finding among people, from the moment it is raised to its verdict.

Condition and acknowledgement make the state, after ISA-18.2:

```
                       condition over
  unacknowledged ───────────────────────▶ returned-unacknowledged
        │   ◀───────────────────────────       │
        │         condition back               │
        │ acknowledge                          │ acknowledge
        ▼              condition over          ▼
  acknowledged ─────────────────────────▶   normal
```

An alert that latches does not return by itself: where the condition is over it is latched, and only a
reset makes it normal.

```
  unacknowledged ── condition over ─▶ latched-unacknowledged ── condition back ─▶ unacknowledged
                                            │ acknowledge
                                            ▼
  acknowledged ──── condition over ─▶ latched-acknowledged ──── condition back ─▶ unacknowledged
                                            │ reset
                                            ▼
                                         normal
```

Closing with a verdict leads to normal, once, from every state but the latched ones. An acknowledged
alert becomes normal by itself when its condition is over, so a verdict may still be given to an alert
that is normal: otherwise the failure that an engineer prevented could never be recorded.

Whether anybody sees an alert is another matter (``service.alerts.mute``): none of this waits for it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ingest.errors import IllegalTransitionError
from models.finding import Evidence, FindingKind
from service.alerts.labels import Labels
from service.alerts.mute import Mute, Visibility, visibility


class AlertState(StrEnum):
    """Where an alert stands."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned-unacknowledged"
    LATCHED = "latched-unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched-acknowledged"
    NORMAL = "normal"


LIVE_STATES = tuple(state for state in AlertState if state is not AlertState.NORMAL)
"""States of an open alert; a machine has at most one open alert of each cause."""

SEEN_STATES = (AlertState.ACKNOWLEDGED, AlertState.LATCHED_ACKNOWLEDGED)
"""States of an open alert that somebody answers for."""

OVER_STATES = (AlertState.RETURNED, AlertState.LATCHED, AlertState.LATCHED_ACKNOWLEDGED)
"""States of an open alert whose condition is over."""


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
    RESET = "reset"
    CLOSED = "closed"
    COMMENT = "comment"
    SHELVED = "shelved"
    SHELVED_ONCE = "shelved once"
    UNSHELVED = "unshelved"
    SHELVING_OVER = "shelving over"
    SUPPRESSED = "suppressed"
    NOT_SUPPRESSED = "no longer suppressed"
    OUT_OF_SERVICE = "out of service"
    BACK_IN_SERVICE = "back in service"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    SILENCED = "silenced"
    SILENCE_OVER = "silence over"


TRANSITIONS: dict[tuple[AlertState, Happening], AlertState] = {
    (AlertState.UNACKNOWLEDGED, Happening.ACKNOWLEDGED): AlertState.ACKNOWLEDGED,
    (AlertState.UNACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.RETURNED,
    (AlertState.ACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.NORMAL,
    (AlertState.RETURNED, Happening.ACKNOWLEDGED): AlertState.NORMAL,
    (AlertState.RETURNED, Happening.CONDITION_BACK): AlertState.UNACKNOWLEDGED,
    (AlertState.LATCHED, Happening.ACKNOWLEDGED): AlertState.LATCHED_ACKNOWLEDGED,
    (AlertState.LATCHED, Happening.CONDITION_BACK): AlertState.UNACKNOWLEDGED,
    (AlertState.LATCHED_ACKNOWLEDGED, Happening.CONDITION_BACK): AlertState.UNACKNOWLEDGED,
    (AlertState.LATCHED_ACKNOWLEDGED, Happening.RESET): AlertState.NORMAL,
    (AlertState.UNACKNOWLEDGED, Happening.CLOSED): AlertState.NORMAL,
    (AlertState.ACKNOWLEDGED, Happening.CLOSED): AlertState.NORMAL,
    (AlertState.RETURNED, Happening.CLOSED): AlertState.NORMAL,
    (AlertState.NORMAL, Happening.CLOSED): AlertState.NORMAL,
    **{(state, Happening.COMMENT): state for state in AlertState},
}

LATCHING: dict[tuple[AlertState, Happening], AlertState] = {
    (AlertState.UNACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.LATCHED,
    (AlertState.ACKNOWLEDGED, Happening.CONDITION_OVER): AlertState.LATCHED_ACKNOWLEDGED,
}
"""What takes the place of those transitions in an alert that latches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One matter of one machine that somebody should look at.

    Attributes
    ----------
    number : counts up from 1 over the whole plant
    machine : empty for what another system says of the plant as a whole
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
    latches : whether only a reset makes it normal
    assignee : who is to look after it; empty for nobody
    mode, mechanism, root_cause, action : what was found and done, see ``service.alerts.found``; empty where nobody said
    labels : by what other systems know it, fixed when it is raised
    mutes : why nobody is called for it at the moment that was asked about; empty where it is shown
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
    latches: bool = False
    assignee: str = ""
    mode: str = ""
    mechanism: str = ""
    root_cause: str = ""
    action: str = ""
    labels: Labels = field(default_factory=dict)
    mutes: tuple[Mute, ...] = ()

    @property
    def visibility(self) -> Visibility:
        """Whether people are called for it."""
        return visibility(self.mutes)

    @property
    def said_severity(self) -> str:
        """How bad another system says that it is, in its words; empty where none does."""
        return self.labels.get("severity", "") if self.kind == "external" else ""

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
                f"{happening.value!r} is not possible any more, add a comment instead",
                [Happening.COMMENT.value],
            )
        step = (self.state, happening)
        target = LATCHING.get(step) if self.latches else None
        target = target or TRANSITIONS.get(step)
        if target is None:
            possible = [h.value for s, h in TRANSITIONS if s is self.state]
            raise IllegalTransitionError(
                f"alert {self.number} is {self.state.value}; {happening.value!r} is not possible, "
                f"only {', '.join(map(repr, possible))}",
                possible,
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
