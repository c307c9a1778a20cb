"""Gather what the stages look at: calls with their alerts, and the scene around them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.statement import pieces
from service.alerts import book
from service.alerts.alert import Alert, AlertState
from service.alerts.floor import floors
from service.alerts.kept_money import kept_money
from service.alerts.mutes import muted
from service.alerts.pipeline.call import Call, Kept
from service.alerts.pipeline.kept_calls import Key, groups_of, lately_told
from service.alerts.pipeline.match import Places, key_of, routes_of
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.scene import Group, Scene, StoppedLine
from service.alerts.pipeline.sources import ABOUT_SENSORS, Source, Sources
from service.alerts.pipeline.tables import stopped_line_table
from service.alerts.pipeline.tokens import purses_of
from service.alerts.pipeline.worth import Worth

LASTING = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)
"""States of an alert whose condition lasts."""


@dataclass(frozen=True, slots=True)
class Valued:
    """An alert, where it belongs and what a call about it is worth."""

    alert: Alert
    places: Places
    worth: Worth


def valued_alerts(connection: Connection, rules: Rules, numbers: Collection[int], now: datetime) -> list[Valued]:
    """Return alerts with the mutes that reach them, valued."""
    alerts = [each for some in pieces(sorted(numbers)) for each in book.show_many(connection, some)]
    return valued(connection, rules, muted(connection, alerts, now), now)


def valued(connection: Connection, rules: Rules, alerts: Iterable[Alert], now: datetime) -> list[Valued]:
    """Return alerts with where they belong and what calls about them are worth."""
    lost = kept_money(connection)
    return [Valued(each, rules.map.places(each), rules.worth(each, now, lost.get(each.number))) for each in alerts]


def calls_for(rules: Rules, alerts: Iterable[Valued], kept: Mapping[Key, Kept], now: datetime) -> list[Call]:
    """Return the calls of alerts on the routes that they take now, and on those that they took before.

    A route that left the plant file calls nobody any more.
    """
    by_alert: dict[int, list[Kept]] = {}
    for own in kept.values():
        by_alert.setdefault(own.alert, []).append(own)
    calls = []
    for each in alerts:
        held = by_alert.get(each.alert.number, [])
        known = {own.route for own in held}
        lasts = each.alert.state in LASTING
        fresh = routes_of(rules.plant.routes, each.places, each.worth) if lasts else []
        owns = [own for own in held if own.route in rules.routes]
        owns += [
            Kept(alert=each.alert.number, route=route.name, key=key_of(route.group_by, each.places), since=now)
            for route in fresh
            if route.name not in known
        ]
        calls += [call_of(each, rules, own) for own in owns]
    return calls


def call_of(each: Valued, rules: Rules, kept: Kept) -> Call:
    """Return the call of an alert on a route."""
    return Call(alert=each.alert, route=rules.routes[kept.route], places=each.places, worth=each.worth, kept=kept)


def scene_of(connection: Connection, rules: Rules, calls: Sequence[Call], now: datetime) -> Scene:
    """Return what the stages may know about these calls."""
    names = {each.route.name for each in calls}
    keys = {(each.route.name, each.kept.key) for each in calls}
    groups: dict[tuple[str, str], Group] = groups_of(connection, keys)
    return Scene(
        plant=rules.plant,
        now=now,
        roster=rules.roster,
        groups=groups,
        sources=_sources(connection, rules, now),
        stopped=stopped_lines(connection, now),
        below={(each.model, each.kind): each.sentence for each in floors(connection, below=True)},
        purses=purses_of(connection, rules, names, now),
        lately=lately_told(connection, names),
    )


def stopped_lines(connection: Connection, now: datetime) -> dict[str, StoppedLine]:
    """Return the lines that stand, as far as that is believed still."""
    query = select(stopped_line_table).where(stopped_line_table.c.until > now)
    return {row.line: StoppedLine(row.since, row.why) for row in connection.execute(query)}


def _sources(connection: Connection, rules: Rules, now: datetime) -> Sources:
    """Take the open alerts that may hold others back: only those about sensors where the plant file has no rules."""
    inhibits = rules.plant.inhibits
    open_ones = [
        each
        for kind in ((None,) if inhibits else ABOUT_SENSORS)
        for each in book.list_alerts(connection, states=LASTING, kind=kind)
    ]
    alerts = valued(connection, rules, open_ones, now) if open_ones else []
    return Sources.of(inhibits, (Source(each.alert, each.places, each.worth) for each in alerts))
