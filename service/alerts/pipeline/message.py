"""What a message to people says, the same for every channel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest.plant import Plant
from service.alerts.pipeline.call import Call
from service.delivery.body import body_of as told_of
from service.delivery.outbox import NoticeKind

_MOST = 50
"""Alerts that a message tells in full; of others it tells the numbers."""


def body_of(kind: NoticeKind, calls: Sequence[Call], plant: Plant, now: datetime) -> dict[str, Any]:
    """Return what a message about these calls says; they are of one route, the best first."""
    first = calls[0]
    keys = dict.fromkeys(each.kept.key for each in calls)
    return {
        "kind": kind.value,
        "plant": plant.name,
        "route": first.route.name,
        "group": next(iter(keys)) if len(keys) == 1 else f"{len(keys)} groups",
        "at": now.isoformat(),
        "machines": [*dict.fromkeys(each.alert.machine for each in calls)],
        "alerts": [_told(each, plant, now) for each in calls[:_MOST]],
        "more": [each.alert.number for each in calls[_MOST:]],
    }


def _told(call: Call, plant: Plant, now: datetime) -> dict[str, Any]:
    alert, worth = call.alert, call.worth
    return {
        **told_of(alert, plant, at=now),
        **{place: call.places[place] for place in ("area", "class")},
        "severity": worth.severity.value,
        "raised_at": alert.raised_at.isoformat(),
        "stake_per_hour": worth.per_hour,
        "model": alert.model,
        "version": alert.version,
    }
