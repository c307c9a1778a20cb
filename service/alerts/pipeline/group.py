"""Group: alerts that belong together come in one message, and a flood of them in a few."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.alerts.pipeline.call import Call, CallState, Held, Reason, Sieved
from service.alerts.pipeline.scene import Group, Scene
from service.alerts.severity import Severity

GATHERING = timedelta(seconds=2)
"""How long a critical alert waits for others, at most, where people are not flooded."""
FLOOD, FLOOD_SPAN = 5, timedelta(minutes=10)
"""So many messages of a route within this time are a flood: from then on all its groups come in one message."""
FLOOD_INTERVAL = timedelta(minutes=2)
"""Least time between two messages in a flood. So a route has 5 + 10 / 2 = 10 messages in 10 minutes at most."""


def group(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold calls back until the wait of their group is over; what is out of its group already passes."""
    sieved = Sieved()
    waiting = [each for each in calls if each.kept.state in (CallState.GROUPING, CallState.OVER)]
    dues: dict[tuple[str, str], datetime] = {}
    for each in waiting:
        own = (each.route.name, each.kept.key)
        due = due_of(each, scene)
        dues[own] = min(due, dues.get(own, due))
    for each in calls:
        due = dues.get((each.route.name, each.kept.key), scene.now)
        if each.kept.state not in (CallState.GROUPING, CallState.OVER) or due <= scene.now:
            sieved.passed.append(each)
        elif flooded(scene, each.route.name):
            words = f"route {each.route.name!r} had {FLOOD} messages in 10 min; the next one tells of all"
            sieved.held.append(Held(each, Reason.FLOOD, words, due))
        else:
            sieved.held.append(Held(each, Reason.GROUP_WAIT, f"waits for others of {each.kept.key}", due))
    return sieved


def due_of(call: Call, scene: Scene) -> datetime:
    """Return when the group of a call is told of."""
    now, route = scene.now, call.route
    found = scene.groups.get((route.name, call.kept.key), Group(now))
    if found.due is not None:
        due = found.due
    elif found.told is not None and now < found.told + route.group_interval:
        due = found.told + route.group_interval
    else:
        due = now + route.group_wait
    if flooded(scene, route.name):
        newest = max(scene.lately[route.name])
        return found.due or max(due, newest + max(route.group_interval, FLOOD_INTERVAL))
    return min(due, now + GATHERING) if call.worth.severity is Severity.CRITICAL else due


def flooded(scene: Scene, route: str) -> bool:
    """Return whether a route was called so often lately that its messages are told in one."""
    lately = [each for each in scene.lately.get(route, ()) if each > scene.now - FLOOD_SPAN]
    return len(lately) >= FLOOD
