"""Tell: calls that passed all stages become messages in the outbox, as few as they can be."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from service.alerts.pipeline.call import Call, CallState, Kept, Reason
from service.alerts.pipeline.decisions import Decision
from service.alerts.pipeline.group import FLOOD, FLOOD_SPAN
from service.alerts.pipeline.message import body_of
from service.alerts.pipeline.repeat import next_look
from service.alerts.pipeline.scene import Scene
from service.alerts.severity import Severity
from service.delivery.outbox import NoticeKind, put

NEW = (NoticeKind.RAISED, NoticeKind.CHANGED)
"""Kinds of messages that tell what people do not know; these are what floods them."""
_REASONS = {
    NoticeKind.RAISED: Reason.CALLED,
    NoticeKind.CHANGED: Reason.BACK,
    NoticeKind.REPEATED: Reason.REPEATED,
    NoticeKind.ESCALATED: Reason.ESCALATED,
    NoticeKind.RESOLVED: Reason.RESOLVED,
}


@dataclass(slots=True)
class Told:
    """What telling made of the calls.

    Attributes
    ----------
    kept, decisions : one for each call
    lately : when each route was called lately, these messages included
    groups : routes and keys of which something was told
    """

    kept: list[Kept] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    lately: dict[str, list[datetime]] = field(default_factory=dict)
    groups: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """The same message to several targets."""

    kind: NoticeKind
    targets: tuple[str, ...]
    messages: tuple[str, ...]
    at: datetime


def tell(connection: Connection, calls: Sequence[Call], scene: Scene, lines: Mapping[int, int | None]) -> Told:
    """Write the messages of these calls.

    Parameters
    ----------
    calls : each with what is to be told, and whom
    lines : by alert, the line of its history that its decision answers
    """
    told = Told()
    for together in _parted(calls, scene):
        lead = min(each.kept.lead or each.alert.number for each in together)
        best = sorted(together, key=lambda each: (-each.worth.severity.rank, -each.worth.value, each.alert.number))
        route, parcel = best[0].route.name, _sent(connection, best, lead, scene)
        if parcel.kind in NEW:
            before = told.lately.get(route) or scene.lately.get(route, ())
            told.lately[route] = [*(each for each in before if each > scene.now - FLOOD_SPAN), scene.now]
        for each in together:
            told.groups.add((route, each.kept.key))
            told.kept.append(_after(each, parcel.kind, parcel.targets, lead, scene))
            told.decisions.append(_decision(each, parcel, lines.get(each.alert.number)))
    return told


def _sent(connection: Connection, calls: Sequence[Call], lead: int, scene: Scene) -> _Parcel:
    kind, targets = calls[0].kind, calls[0].targets
    body = body_of(kind, calls, scene.plant, scene.now)
    sent = [put(connection, target=each, kind=kind, body=body, at=scene.now, alert=lead) for each in targets]
    return _Parcel(kind, targets, tuple(sent), scene.now)


def _parted(calls: Sequence[Call], scene: Scene) -> list[list[Call]]:
    """Return what goes into one message each: of one route, kind, group, order and people."""
    keys: dict[str, set[str]] = defaultdict(set)
    for each in calls:
        if each.kind in NEW:
            keys[each.route.name].add(each.kept.key)
    lately = {route: [at for at in told if at > scene.now - FLOOD_SPAN] for route, told in scene.lately.items()}
    crowded = {route for route, own in keys.items() if len(own) + len(lately.get(route, ())) > FLOOD}
    parts: dict[tuple[object, ...], list[Call]] = defaultdict(list)
    for each in calls:
        key = None if each.route.name in crowded and each.kind in NEW else each.kept.key
        # Messages about one alert reach a target in order, because all of them have the same lead.
        lead = None if each.kind is NoticeKind.RAISED else each.kept.lead
        parts[each.route.name, each.kind, key, lead, each.targets].append(each)
    return list(parts.values())


def _after(call: Call, kind: NoticeKind, targets: tuple[str, ...], lead: int, scene: Scene) -> Kept:
    kept, now = call.kept, scene.now
    if kind is NoticeKind.RESOLVED:
        return replace(kept, state=CallState.OVER, due=None, told=(), stage="", reason=_REASONS[kind].value)
    anew = kind in NEW
    called = replace(
        kept,
        state=CallState.CALLED,
        since=now if anew else kept.since,
        critical=kept.critical if kept.first else call.worth.severity is Severity.CRITICAL,
        first=kept.first or now,
        newest=now if kind is not NoticeKind.ESCALATED else kept.newest,
        rung=0 if anew else call.rungs,
        lead=lead,
        told=tuple(dict.fromkeys((*kept.told, *targets))),
        stage="",
        reason=_REASONS[kind].value,
    )
    return replace(called, due=next_look(replace(call, kept=called)))


def _decision(call: Call, parcel: _Parcel, line: int | None) -> Decision:
    words = f"{call.worth.severity}: {call.worth.words}" if parcel.kind is NoticeKind.RAISED else ""
    return Decision(
        alert=call.alert.number,
        line=line,
        at=parcel.at,
        route=call.route.name,
        reason=_REASONS[parcel.kind],
        words=words,
        targets=parcel.targets,
        messages=parcel.messages,
    )
