"""Digests on their way: at the end of each shift one is written to the outbox, once for each route that wants it."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from ingest.plant_route import Route
from service.alerts.pipeline.digest import digest_of
from service.alerts.pipeline.digest_words import headline_of, lines_of
from service.alerts.pipeline.duty import Worked
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.tables import digest_sent_table
from service.delivery.outbox import NoticeKind, put


def digests_due(connection: Connection, rules: Rules, now: datetime) -> list[tuple[Route, Worked]]:
    """Return the shifts that ended within the last day and whose digest was not written, by route."""
    wanted = list(_wanted(rules, now))
    if not wanted:
        return []
    sent = digest_sent_table.c
    query = select(sent.route, sent.shift, sent.ended).where(sent.ended >= min(each.end for _, each in wanted))
    known = {(row.route, row.shift, row.ended) for row in connection.execute(query)}
    return [(route, each) for route, each in wanted if (route.name, each.shift, each.end) not in known]


def send_digests(connection: Connection, rules: Rules, now: datetime) -> int:
    """Write the digests that are due to the outbox; return how many."""
    due = digests_due(connection, rules, now)
    for route, shift in due:
        digest = digest_of(connection, rules, shift)
        body = digest.to_dict() | {
            "plant": rules.plant.name,
            "route": route.name,
            "subject": f"Digest: {headline_of(digest, rules.plant.zone)}",
            "text": "\n".join(lines_of(digest)),
        }
        for target in rules.roster.on_duty(route, now) or rules.roster.everybody(route):
            put(connection, target=target, kind=NoticeKind.DIGEST, body=body, at=now)
        row = {"route": route.name, "shift": shift.shift, "ended": shift.end, "at": now}
        connection.execute(insert(digest_sent_table), row)
    return len(due)


def _wanted(rules: Rules, now: datetime) -> Iterator[tuple[Route, Worked]]:
    routes = [each for each in rules.plant.routes if each.digest]
    ended = rules.roster.ended(now) if routes else []
    return ((route, each) for route in routes for each in ended)
