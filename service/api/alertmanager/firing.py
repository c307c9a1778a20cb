"""Firing: the alerts whose condition lasts, with everything that Alertmanager says of one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.plant_route import Route
from ingest.statement import pieces
from service.alerts import book
from service.alerts.alert import Alert
from service.alerts.external.said import Said, said_of
from service.alerts.labels import fingerprint
from service.alerts.mutes import muted
from service.alerts.pipeline.call import Call, Kept
from service.alerts.pipeline.gather import LASTING, Valued, scene_of, valued
from service.alerts.pipeline.inhibit import needless
from service.alerts.pipeline.match import Places, key_of, routes_of
from service.alerts.pipeline.rules import Rules
from service.alerts.tables import alert_event_table
from service.control_room import ControlRoom
from service.delivery.alertmanager import annotations_in
from service.delivery.body import body_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An alert whose condition lasts, and what is known around it.

    Attributes
    ----------
    starts_at, ends_at : since when it lasts, and until when it does at least
    link : where it came from; empty where nobody said
    routes : that it takes, with whom each of them ever calls first
    inhibited_by : fingerprints of the alerts for which nobody is called about it, or the line that stands
    """

    alert: Alert
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    link: str
    places: Places
    routes: Mapping[str, tuple[Route, tuple[str, ...]]]
    inhibited_by: tuple[str, ...]

    @property
    def labels(self) -> Mapping[str, str]:
        """By what it is known."""
        return self.alert.labels

    @property
    def fingerprint(self) -> str:
        """Its labels as a number."""
        return fingerprint(self.labels)

    @property
    def receivers(self) -> tuple[str, ...]:
        """Whom its routes call, each once."""
        return tuple(dict.fromkeys(name for _, names in self.routes.values() for name in names))


def firing(connection: Connection, room: ControlRoom, now: datetime) -> list[Firing]:
    """Return the alerts that fire, of the machines that are shown, in the order of their fingerprints."""
    rules = room.rules()
    alerts = muted(connection, book.list_alerts(connection, states=LASTING, machines=room.shown), now)
    said = said_of(connection, [each.number for each in alerts if each.kind == "external"])
    # What was not posted again is over when its time is up, whether or not anybody has looked since.
    lasting = [each for each in alerts if each.number not in said or said[each.number].ends_at > now]
    known = valued(connection, rules, lasting, now)
    newest = _newest(connection, [each.number for each in lasting])
    inhibited = _inhibited(connection, room, rules, known, now)
    found = [
        _firing(each, said.get(each.alert.number), room, rules, inhibited, newest[each.alert.number], now)
        for each in known
    ]
    return sorted(found, key=lambda each: (each.fingerprint, each.alert.number))


def _firing(
    valued: Valued,
    said: Said | None,
    room: ControlRoom,
    rules: Rules,
    inhibited: Mapping[int, str],
    newest: datetime,
    now: datetime,
) -> Firing:
    alert, address = valued.alert, room.settings.public_address
    own = body_of(alert, rules.plant, at=now, severity=valued.worth.severity.value)
    # Whom messages go to is a matter of the whole plant.
    routes = routes_of(rules.plant.routes, valued.places, valued.worth) if room.whole is None else []
    return Firing(
        alert=alert,
        annotations=annotations_in(own) if said is None else said.annotations,
        starts_at=alert.condition_begin if said is None else said.starts_at,
        ends_at=now + rules.plant.alerts.resolve_after if said is None else said.ends_at,
        updated_at=newest if said is None else said.updated_at,
        link=(f"{address}/alerts/{alert.number}" if address else "") if said is None else said.generator_url,
        places=valued.places,
        routes={each.name: (each, rules.roster.everybody(each)) for each in routes},
        inhibited_by=tuple(filter(None, [inhibited.get(alert.number)])),
    )


def _inhibited(
    connection: Connection, room: ControlRoom, rules: Rules, known: Sequence[Valued], now: datetime
) -> dict[int, str]:
    """Return what each alert is held back by, in the same way as the pipeline decides on it."""
    calls = [_call(each, route, now) for each in known for route in rules.plant.routes[:1]]
    if not calls:
        return {}
    scene = scene_of(connection, rules, calls, now)
    found = {}
    for each in calls:
        reason = needless(each, scene)
        if reason is not None:
            held, source = reason
            shown = source is not None and (room.shown is None or source.alert.machine in room.shown)
            name = fingerprint(source.alert.labels) if source is not None and shown else held.reason.value
            found[each.alert.number] = name
    return found


def _call(valued: Valued, route: Route, now: datetime) -> Call:
    kept = Kept(alert=valued.alert.number, route=route.name, key=key_of(route.group_by, valued.places), since=now)
    return Call(alert=valued.alert, route=route, places=valued.places, worth=valued.worth, kept=kept)


def _newest(connection: Connection, numbers: Collection[int]) -> dict[int, datetime]:
    """Return when anything last happened to each alert."""
    event = alert_event_table.c
    found: dict[int, datetime] = {}
    for some in pieces(sorted(numbers)):
        query = select(event.alert, func.max(event.at).label("at")).group_by(event.alert)
        rows = connection.execute(query.where(event.alert.in_(some)))
        found |= {row.alert: row.at for row in rows}
    return found
