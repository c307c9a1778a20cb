"""Route: who is called now, by the shifts that work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from service.alerts.pipeline.call import Call, Held, Reason, Sieved
from service.alerts.pipeline.scene import Scene

_LOOK_AGAIN = timedelta(days=1)


def route(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Say who is called; hold back what nobody is on duty for until somebody is."""
    sieved = Sieved()
    for each in calls:
        targets = scene.roster.on_duty(each.route, scene.now)
        if targets:
            sieved.passed.append(replace(each, targets=targets))
            continue
        begins = scene.roster.next_duty(each.route, scene.now)
        words = f"no shift of route {each.route.name!r} works now"
        sieved.held.append(Held(each, Reason.NOBODY_ON_DUTY, words, begins or scene.now + _LOOK_AGAIN))
    return sieved
