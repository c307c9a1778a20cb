"""Escalate: whom to call as well, one rung after the other, until somebody acknowledges."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.alerts.pipeline.call import Call, Sieved
from service.alerts.pipeline.scene import Scene


def escalate(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Add the targets of the rungs whose time has come; a repeat reaches all that were called before, too."""
    sieved = Sieved()
    for each in calls:
        if not each.kept.told:
            sieved.passed.append(each)
            continue
        rungs = rungs_due(each, scene.now)
        first = 0 if each.targets else each.kept.rung
        named = [*each.targets, *(who for rung in each.route.escalate[first:rungs] for who in rung.targets)]
        sieved.passed.append(replace(each, targets=tuple(dict.fromkeys(named)), rungs=max(rungs, each.kept.rung)))
    return sieved


def rungs_due(call: Call, now: datetime) -> int:
    """Return how many rungs of the ladder should have been called; it begins anew when an alert comes back."""
    return sum(call.kept.since + rung.after <= now for rung in call.route.escalate)


def next_rung(call: Call) -> datetime | None:
    """Return when the next rung is called; ``None`` where none is left."""
    rest = call.route.escalate[call.kept.rung :]
    return call.kept.since + rest[0].after if rest else None
