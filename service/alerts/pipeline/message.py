"""What a message to people says, the same for every channel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.alerts.pipeline.call import Call
from service.delivery.outbox import NoticeKind

_MOST = 50
"""Alerts that a message tells in full; of others it tells the numbers."""


def body_of(kind: NoticeKind, calls: Sequence[Call], plant: str, now: datetime) -> dict[str, Any]:
    """Return what a message about these calls says; they are of one route, the best first."""
    first = calls[0]
    keys = dict.fromkeys(each.kept.key for each in calls)
    return {
        "kind": kind.value,
        "plant": plant,
        "route": first.route.name,
        "group": next(iter(keys)) if len(keys) == 1 else f"{len(keys)} groups",
        "at": now.isoformat(),
        "alerts": [_told(each) for each in calls[:_MOST]],
        "more": [each.alert.number for each in calls[_MOST:]],
    }


def _told(call: Call) -> dict[str, Any]:
    alert, worth = call.alert, call.worth
    return {
        "number": alert.number,
        **{place: call.places[place] for place in ("machine", "line", "site", "area", "class", "cause", "kind")},
        "severity": worth.severity.word,
        "state": alert.state.value,
        "sentence": alert.sentence,
        "level": alert.level,
        "raised_at": alert.raised_at.isoformat(),
        "condition_end": None if alert.condition_end is None else alert.condition_end.isoformat(),
        "act_before": alert.act_before.isoformat(),
        "stake_per_hour": worth.per_hour,
        "model": alert.model,
        "version": alert.version,
    }
