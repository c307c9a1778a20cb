"""Decide whom alerts call: what happened since the last time, and every timer that has come due.

Whoever changes an alert does this in the same transaction (``service.alerts.pipeline.calling``); the clock of the
server does it for timers. Everything between two looks is rows: a mark of what was decided on, calls, and due times. So
nothing that happens is decided on twice or not at all, whoever is killed, and a restart changes no timer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from ingest.database import Database
from service.alerts.pipeline import kept_calls
from service.alerts.pipeline.budget import needs_token
from service.alerts.pipeline.call import Call, Kept, Reason
from service.alerts.pipeline.decisions import Decision, write_decisions
from service.alerts.pipeline.digests import digests_due, send_digests
from service.alerts.pipeline.gather import Valued, calls_for, scene_of, valued_alerts
from service.alerts.pipeline.happened import News, is_news, take_news
from service.alerts.pipeline.look import Looked, look
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.scene import Group, Scene
from service.alerts.pipeline.tell import Told, tell
from service.alerts.pipeline.tokens import spend


def keep_calls(state: Database, rules: Rules, now: datetime) -> int:
    """Work off what has come due; return how many decisions that took. Where nothing is due nothing is written."""
    with state.read() as connection:
        back = kept_calls.set_ahead(connection, now)
        due = is_news(connection) or kept_calls.anything_due(connection, now) or digests_due(connection, rules, now)
    if not (back or due):
        return 0
    with state.write() as connection:
        if back:
            kept_calls.move_back(connection, now)
        # Decided first, so that a digest knows of everything that came before it.
        return decide(connection, rules, now) + send_digests(connection, rules, now)


def decide(connection: Connection, rules: Rules, now: datetime) -> int:
    """Decide on everything that happened and has come due, in the caller's transaction; return how many decisions."""
    if not is_news(connection) and not kept_calls.anything_due(connection, now):
        return 0
    news = take_news(connection)
    asked = {number for number, each in news.items() if each.asks is not None}
    kept = kept_calls.due_calls(connection, now)
    kept |= kept_calls.calls_of(connection, asked | {alert for alert, _ in kept})
    alerts = valued_alerts(connection, rules, asked | {alert for alert, _ in kept}, now)
    calls = calls_for(rules, alerts, kept, now)
    scene = scene_of(connection, rules, calls, now)
    lines = {number: each.asks for number, each in news.items() if each.asks is not None}
    looked = look(calls, scene, lines)
    _spend(connection, looked.tell, scene)
    told = tell(connection, looked.tell, scene, lines)
    kept_calls.keep_all(connection, [*looked.kept, *told.kept, *_gone(rules, kept)])
    kept_calls.end_timers(connection, now)
    kept_calls.keep_groups(connection, _timers(scene, looked, told))
    kept_calls.keep_lately(connection, told.lately)
    decisions = [*_noted(news, now), *_unrouted(rules, alerts, calls, lines, now), *looked.decisions, *told.decisions]
    write_decisions(connection, decisions)
    return len(decisions)


def _spend(connection: Connection, calls: Sequence[Call], scene: Scene) -> None:
    for route, purse in scene.purses.items():
        spend(connection, purse, [each for each in calls if each.route.name == route and needs_token(each)], scene.now)


def _timers(scene: Scene, looked: Looked, told: Told) -> Mapping[tuple[str, str], Group]:
    """Return the groups that something was told of, or that wait anew."""
    groups = dict(looked.groups)
    for own in told.groups:
        before = groups.get(own) or scene.groups.get(own) or Group(scene.now)
        waits = before.due is not None and before.due > scene.now
        groups[own] = replace(before, told=scene.now, due=before.due if waits else None)
    return groups


def _noted(news: Mapping[int, News], now: datetime) -> list[Decision]:
    return [
        Decision(alert=number, line=line, at=now, reason=Reason.NO_NEWS, words=words)
        for number, each in news.items()
        for line, words in each.notes.items()
    ]


def _unrouted(
    rules: Rules, alerts: Sequence[Valued], calls: Sequence[Call], lines: Mapping[int, int | None], now: datetime
) -> list[Decision]:
    routed = {each.alert.number for each in calls}
    words = "no route of the plant file takes it" if rules.plant.routes else "the plant file has no routes"
    return [
        Decision(
            alert=each.alert.number,
            line=lines.get(each.alert.number),
            at=now,
            stage="route",
            reason=Reason.NO_ROUTE,
            words=words,
        )
        for each in alerts
        if each.alert.number not in routed
    ]


def _gone(rules: Rules, kept: Mapping[kept_calls.Key, Kept]) -> list[Kept]:
    """Return calls of routes that left the plant file: no timer asks about them any more."""
    return [
        replace(each, due=None) for each in kept.values() if each.route not in rules.routes and each.due is not None
    ]
