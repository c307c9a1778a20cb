"""Calls as they are kept between two looks, and the timers of their groups; every timer is a row with a due time."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.engine import Connection

from features.microsecond import time_of
from ingest.statement import Many, insert_into, pieces
from service.alerts.pipeline.call import CallState, Kept
from service.alerts.pipeline.scene import Group
from service.alerts.pipeline.tables import call_group_table, call_route_table, call_table
from service.database import microseconds

_COLUMNS = tuple(each.name for each in fields(Kept))

Key = tuple[int, str]
"""Alert and route."""

WAITING = (CallState.GROUPING, CallState.RETURNING)
"""States in which a call waits for the message of its group."""

_insert = Many(
    call_table,
    _COLUMNS,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["alert", "route"],
        set_={name: statement.excluded[name] for name in _COLUMNS if name not in ("alert", "route")},
    ),
)


def due_calls(connection: Connection, now: datetime) -> dict[Key, Kept]:
    """Return the calls that are due, and those that wait for a group that is."""
    call, group = call_table.c, call_group_table.c
    waiting = select(call_table).join(call_group_table, (group.route == call.route) & (group.key == call.key))
    waiting = waiting.where(group.due <= now, call.state.in_([each.value for each in WAITING]))
    return _found(connection, select(call_table).where(call.due <= now)) | _found(connection, waiting)


def calls_of(connection: Connection, alerts: Collection[int]) -> dict[Key, Kept]:
    """Return the calls of these alerts."""
    found: dict[Key, Kept] = {}
    for some in pieces(sorted(alerts)):
        found |= _found(connection, select(call_table).where(call_table.c.alert.in_(some)))
    return found


def anything_due(connection: Connection, now: datetime) -> bool:
    """Return whether a timer of a call or a group has come due."""
    asked = (select(each.c.route).where(each.c.due <= now).limit(1) for each in (call_table, call_group_table))
    return any(connection.execute(each).first() is not None for each in asked)


def set_ahead(connection: Connection, now: datetime) -> bool:
    """Return whether a timer was set later than now, so that the clock must have gone back."""
    for table in (call_table, call_group_table):
        ahead = select(table.c.route).where(table.c.since > now, table.c.due.is_not(None)).limit(1)
        if connection.execute(ahead).first() is not None:
            return True
    return False


def move_back(connection: Connection, now: datetime) -> None:
    """Move timers that were set by a clock that has gone back since: none takes longer than it was set for."""
    for table in (call_table, call_group_table):
        rows = connection.execute(select(table).where(table.c.since > now, table.c.due.is_not(None))).all()
        for row in rows:
            change = update(table).where(*(column == row._mapping[column.name] for column in table.primary_key))
            connection.execute(change.values(due=now + (row.due - row.since), since=now))


def keep_all(connection: Connection, calls: Iterable[Kept]) -> None:
    """Keep calls as they are now."""
    rows = [_row(each) for each in calls]
    if rows:
        _insert(connection, rows)


def groups_of(connection: Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Group]:
    """Return the groups of these routes and keys that have been there before."""
    found = {}
    for some in pieces(sorted({key for _, key in keys})):
        for row in connection.execute(select(call_group_table).where(call_group_table.c.key.in_(some))):
            if (row.route, row.key) in keys:
                found[row.route, row.key] = Group(row.since, row.due, row.told)
    return found


def end_timers(connection: Connection, now: datetime) -> None:
    """Take the timers of groups that have come due as worked off."""
    due = update(call_group_table).where(call_group_table.c.due <= now)
    connection.execute(due.values(due=None))


def keep_groups(connection: Connection, groups: Mapping[tuple[str, str], Group]) -> None:
    """Keep the timers of groups."""
    rows = [
        {"route": route, "key": key, "since": each.since, "due": each.due, "told": each.told}
        for (route, key), each in groups.items()
    ]
    if rows:
        statement = insert_into(connection, call_group_table)
        anew = {name: statement.excluded[name] for name in ("since", "due", "told")}
        connection.execute(statement.on_conflict_do_update(index_elements=["route", "key"], set_=anew), rows)


def lately_told(connection: Connection, routes: Collection[str]) -> dict[str, list[datetime]]:
    """Return when each route was called lately."""
    query = select(call_route_table).where(call_route_table.c.route.in_(sorted(routes)))
    return {row.route: [time_of(each) for each in row.told] for row in connection.execute(query)}


def keep_lately(connection: Connection, lately: Mapping[str, Sequence[datetime]]) -> None:
    """Keep when routes were called lately."""
    rows = [{"route": route, "told": [microseconds(each) for each in told]} for route, told in lately.items()]
    if rows:
        statement = insert_into(connection, call_route_table)
        anew = {"told": statement.excluded["told"]}
        connection.execute(statement.on_conflict_do_update(index_elements=["route"], set_=anew), rows)


def _found(connection: Connection, query: Select[Any]) -> dict[Key, Kept]:
    return {(row.alert, row.route): _kept(row) for row in connection.execute(query)}


def _kept(row: Row[Any]) -> Kept:
    values = dict(zip(_COLUMNS, row, strict=True))
    values |= {"state": CallState(values["state"]), "told": tuple(values["told"]), "critical": bool(values["critical"])}
    return Kept(**values)


def _row(kept: Kept) -> tuple[Any, ...]:
    """Return what is stored of a call, in the order of the columns."""
    return (
        *(kept.alert, kept.route, kept.key, kept.state.value, microseconds(kept.since), _stored(kept.due)),
        *(_stored(kept.asked), kept.worth, kept.critical, _stored(kept.first), _stored(kept.newest), kept.rung),
        *(kept.lead, json.dumps(kept.told, ensure_ascii=False) if kept.told else "[]", kept.stage, kept.reason),
    )


def _stored(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)
