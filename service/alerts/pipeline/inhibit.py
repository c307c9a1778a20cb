"""Inhibit: what need not be said while something worse is known. What is critical is always said."""

from collections.abc import Sequence
from datetime import timedelta

from service.alerts.pipeline.call import Call, Held, Reason, Sieved
from service.alerts.pipeline.scene import Scene
from service.alerts.pipeline.sources import Source
from service.alerts.severity import Severity

LOOK_AGAIN = timedelta(minutes=5)
"""How often it is asked whether what is worse still lasts."""


def inhibit(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold back what a stopped line, a bad sensor or a rule of the plant file makes needless."""
    sieved = Sieved()
    for each in calls:
        found = needless(each, scene)
        if found is None:
            sieved.passed.append(each)
        else:
            sieved.held.append(found[0])
    return sieved


def needless(call: Call, scene: Scene) -> tuple[Held, Source | None] | None:
    """Return why a call need not be made, and the alert that says it; ``None`` if it is to be made."""
    if call.worth.severity is Severity.CRITICAL:
        return None
    again = scene.now + LOOK_AGAIN
    stopped = scene.stopped.get(call.places["line"])
    if stopped is not None:
        words = f"line {call.places['line']!r} stands since {stopped.since:%Y-%m-%d %H:%M} UTC: {stopped.why}"
        return Held(call, Reason.LINE_STOPPED, words, again), None
    blind = scene.sources.blind(call.alert)
    if blind is not None:
        words = f"it rests on a sensor that alert {blind.alert.number} is about ({blind.alert.cause})"
        return Held(call, Reason.SENSOR_FAULT, words, again), blind
    stake = scene.sources.with_stake(call.alert)
    if stake is not None:
        words = f"alert {stake.alert.number} asks to look at this sensor, and says what is at stake"
        return Held(call, Reason.WORSE_KNOWN, words, again), stake
    found = scene.sources.by_rule(Source(call.alert, call.places, call.worth))
    if found is not None:
        rule, source = found
        words = (
            f"rule {rule.name!r}: alert {source.alert.number} ({source.alert.machine}, {source.alert.cause}) says it"
        )
        return Held(call, Reason.WORSE_KNOWN, words, again), source
    return None
