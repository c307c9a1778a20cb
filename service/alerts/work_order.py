"""◆ Work order: what an alert asks maintenance to do, from its draft to what the maintenance system says of it.

```
            a person approves            the maintenance system is done
  draft ───────────────────────▶ approved ──────────────────────────────▶ done
    │                               │
    └──────── a person refuses ─────┴──▶ refused
```

Nothing leaves the house before a person has approved it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ingest.errors import IllegalTransitionError


class WorkOrderState(StrEnum):
    """Where a work order stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    REFUSED = "refused"
    DONE = "done"


class Deed(StrEnum):
    """What can be done to a work order."""

    APPROVE = "approve"
    REFUSE = "refuse"
    DONE = "done"


DEEDS: dict[tuple[WorkOrderState, Deed], WorkOrderState] = {
    (WorkOrderState.DRAFT, Deed.APPROVE): WorkOrderState.APPROVED,
    (WorkOrderState.DRAFT, Deed.REFUSE): WorkOrderState.REFUSED,
    (WorkOrderState.APPROVED, Deed.REFUSE): WorkOrderState.REFUSED,
    (WorkOrderState.APPROVED, Deed.DONE): WorkOrderState.DONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One thing to do at one machine.

    Attributes
    ----------
    alert : the alert that it came from
    worth : what it saves on average if it is done, in the plant's currency
    act_before : later than this is too late
    decided_by, decided_at, why : who approved or refused it last
    handed_at : when it was given to the maintenance system; ``None`` before
    reference, status, status_at : its number and status in the maintenance system, in that one's words
    """

    number: int
    alert: int
    machine: str
    cause: str
    state: WorkOrderState
    title: str
    worth: float
    act_before: datetime
    drafted_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    why: str = ""
    handed_at: datetime | None = None
    reference: str = ""
    status: str = ""
    status_at: datetime | None = None

    def after(self, deed: Deed) -> WorkOrderState:
        """Return the state that a deed leads to; ``IllegalTransitionError`` where it leads to none."""
        target = DEEDS.get((self.state, deed))
        if target is None:
            possible = [each.value for state, each in DEEDS if state is self.state]
            words = ", ".join(map(repr, possible)) or "nothing"
            raise IllegalTransitionError(
                f"work order {self.number} is {self.state.value}; {deed.value!r} is not possible, only {words}",
                possible,
            )
        return target
