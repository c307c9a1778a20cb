"""A verdict failure mode by failure mode: each may need another lead, and some give no sign at all."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.judging.evaluate import EventVerdict, Verdict
from models.judging.interval import Interval, wilson


@dataclass(frozen=True, slots=True)
class ModeVerdict:
    """How events of one failure mode were found.

    Attributes
    ----------
    mode : component or code; empty where nobody said
    needed_hours : lead that such events need
    median_lead_hours : ``None`` where none was found
    """

    mode: str
    events: int
    found: int
    late: int
    needed_hours: float
    median_lead_hours: float | None

    @property
    def recall(self) -> Interval:
        """Share of events that were found."""
        return wilson(self.found, self.events)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "mode": self.mode,
            "events": self.events,
            "found": self.found,
            "late": self.late,
            "recall": self.recall.to_dict(),
            "needed_hours": self.needed_hours,
            "median_lead_hours": self.median_lead_hours,
        }


def modes(verdict: Verdict) -> list[ModeVerdict]:
    """Return the verdict on each failure mode that had a judged event, most events first."""
    found = []
    judged = [event for event in verdict.events if event.verdict != EventVerdict.NOT_JUDGED]
    for mode in {event.mode for event in judged}:
        own = [event for event in judged if event.mode == mode]
        leads = [event.lead_hours for event in own if event.lead_hours is not None]
        found.append(
            ModeVerdict(
                mode,
                len(own),
                sum(event.verdict == EventVerdict.FOUND for event in own),
                sum(event.verdict == EventVerdict.LATE for event in own),
                max(event.needed_hours for event in own),
                float(np.median(leads)) if leads else None,
            )
        )
    return sorted(found, key=lambda each: (-each.events, each.mode))
