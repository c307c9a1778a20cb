"""What if: whom an alert would call that nobody has raised; the stages themselves answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from models.finding import Evidence, FindingKind
from service.alerts.alert import Alert, AlertState
from service.alerts.mutes import muted
from service.alerts.pipeline.call import Call, CallState, Held
from service.alerts.pipeline.gather import Valued, calls_for, scene_of
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.stages import sieve

NUMBER = 2**62
"""The number of an alert that is not there: higher than all that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """What would become of an alert on one route.

    Attributes
    ----------
    group : the group that it would come in
    waits_until : when its group would be told of; ``None`` where that is at once
    stage, reason, until : what would hold it back then, and until when; empty and ``None`` where nothing would
    words : why, in words
    targets : whom it would call
    """

    route: str
    severity: str
    worth: float
    group: str
    waits_until: datetime | None
    stage: str
    reason: str
    words: str
    until: datetime | None
    targets: tuple[str, ...]


def imagined(
    machine: str,
    kind: FindingKind,
    cause: str,
    *,
    level: float,
    now: datetime,
    left: timedelta,
    signals: Sequence[str] = (),
) -> Alert:
    """Return an alert that nobody has raised.

    Parameters
    ----------
    level : the model's number, 0 to 1
    left : time to act
    signals : what it would rest on, each as much as the others
    """
    share = 1 / max(1, len(signals))
    evidence = (Evidence(signal=each, unit="", feature="", actual=0.0, expected=0.0, share=share) for each in signals)
    return Alert(
        number=NUMBER,
        machine=machine,
        cause=cause,
        kind=kind,
        model="",
        version="",
        state=AlertState.UNACKNOWLEDGED,
        raised_at=now,
        condition_begin=now,
        act_before=now + left,
        level=level,
        evidence=tuple(evidence),
    )


def what_if(
    connection: Connection, rules: Rules, alert: Alert, now: datetime, *, lost: float | None = None
) -> list[Would]:
    """Return what would become of an alert that was raised now, on each route that it would take; nothing is written.

    Parameters
    ----------
    lost : what an hour of the loss behind it would cost; ``None`` where it is no loss
    """
    (shown,) = muted(connection, [alert], now)
    worth = rules.worth(shown, now, lost)
    calls = calls_for(rules, [Valued(shown, rules.map.places(shown), worth)], {}, now)
    scene = scene_of(connection, rules, calls, now)
    waits = {held.call.route.name: held for held in sieve(calls, scene).held if held.stage == "group"}
    out_of_group = [replace(each, kept=replace(each.kept, state=CallState.HELD)) for each in calls]
    sieved = sieve(out_of_group, scene)
    held = [_would(each.call, waits, each) for each in sieved.held]
    told = [_would(each, waits, None) for each in sieved.passed]
    order = [each.route.name for each in calls]
    return sorted([*held, *told], key=lambda each: order.index(each.route))


def _would(call: Call, waits: dict[str, Held], held: Held | None) -> Would:
    wait = waits.get(call.route.name)
    return Would(
        route=call.route.name,
        severity=call.worth.severity,
        worth=call.worth.value,
        group=call.kept.key,
        waits_until=None if wait is None else wait.until,
        stage="" if held is None else held.stage,
        reason="" if held is None else held.reason.value,
        words=call.worth.words if held is None else held.words,
        until=None if held is None else held.until,
        targets=call.targets if held is None else (),
    )
