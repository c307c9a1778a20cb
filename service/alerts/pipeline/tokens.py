"""Tokens of the budget: what was spent on which alert, one row each; the database lets none be spent twice."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from ingest.plant_route import Route
from service.alerts.pipeline.call import Call
from service.alerts.pipeline.duty import week_of
from service.alerts.pipeline.purse import Purse
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.tables import call_table, call_token_table

_WEEK = timedelta(days=7)
LEARNT_FROM = 8 * _WEEK
"""Alerts that asked within this time say how many are to be expected, and what they are worth."""


def purses_of(connection: Connection, rules: Rules, routes: Collection[str], now: datetime) -> dict[str, Purse]:
    """Return the purses of routes in the week of a moment."""
    return {name: purse_of(connection, rules, rules.routes[name], now) for name in routes}


def purse_of(connection: Connection, rules: Rules, route: Route, now: datetime) -> Purse:
    """Return the purse of a route in the week of a moment."""
    begins, ends = week_of(now, rules.plant)
    token, call = call_token_table.c, call_table.c
    spent = connection.execute(
        select(func.count()).select_from(call_token_table).where(token.route == route.name, token.week == begins)
    ).scalar_one()
    asked = select(call.asked, call.worth).where(call.route == route.name, call.asked >= now - LEARNT_FROM)
    rows = connection.execute(asked).all()
    # In the first week nobody can say how many come: as many as have come, and no more, are expected.
    seen = max(_WEEK, now - min((row.asked for row in rows), default=now))
    budget = rules.plant.alerts.budget if route.budget is None else route.budget
    expected = len(rows) * ((ends - now) / seen)
    return Purse(budget, spent, begins, ends, expected, [row.worth for row in rows])


def spend(connection: Connection, purse: Purse, calls: Sequence[Call], now: datetime) -> None:
    """Spend a token of the week on each call; the database refuses one that is spent already."""
    rows = [
        {
            "route": call.route.name,
            "week": purse.week,
            "token": purse.spent + place,
            "alert": call.alert.number,
            "at": now,
            "worth": call.worth.value,
        }
        for place, call in enumerate(calls, start=1)
    ]
    if rows:
        connection.execute(insert(call_token_table), rows)
