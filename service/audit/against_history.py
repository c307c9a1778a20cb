"""What people are shown against the trail: lines of alerts' histories, and where each alert stands."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Select, select, type_coerce
from sqlalchemy.engine import Connection

from service.alerts.tables import alert_event_table, alert_table
from service.audit.record import Subject
from service.audit.tables import audit_table

MOST_TOLD = 20
_AT_ONCE = 5_000
_WORDS = ("alert", "time", "happening", "by", "why", "state", "level")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a history, as it is or as a record has it."""

    id: int
    says: tuple[Any, ...]
    record: int = 0
    verdict: str = ""


@dataclass(slots=True)
class _Newest:
    """Where each alert stands by its newest record."""

    stands: dict[str, tuple[str, str]] = field(default_factory=dict)

    def follow(self, lines: Iterator[_Line]) -> Iterator[_Line]:
        for line in lines:
            self.stands[line.says[0]] = (line.says[5], line.verdict)
            yield line


def differences(connection: Connection) -> list[str]:
    """Return what histories and alerts say other than the trail does, one line each, at most ``MOST_TOLD``.

    Lines from before there was a trail are not looked at.
    """
    newest = _Newest()
    records = newest.follow(_records(connection))
    first = next(records, None)
    if first is None:
        return []
    lines = _compared(first, records, _lines(connection, first.id))
    return [*islice(lines, MOST_TOLD), *islice(_standing(connection, newest, records), MOST_TOLD)]


def _compared(record: _Line | None, records: Iterator[_Line], lines: Iterator[_Line]) -> Iterator[str]:
    line = next(lines, None)
    while record is not None or line is not None:
        if line is None or (record is not None and record.id < line.id):
            if record is not None:
                told = f"line {record.id} of its history is gone, which record {record.record} has"
                yield f"alert {record.says[0]}: {told}"
            record = next(records, None)
        elif record is None or line.id < record.id:
            yield f"alert {line.says[0]}: line {line.id} of its history stands in no record"
            line = next(lines, None)
        else:
            other = [word for word, a, b in zip(_WORDS, record.says, line.says, strict=True) if a != b]
            if other:
                told = f"line {line.id} of its history has another {' and '.join(other)} than record {record.record}"
                yield f"alert {line.says[0]}: {told}"
            record, line = next(records, None), next(lines, None)


def _standing(connection: Connection, newest: _Newest, rest: Iterator[_Line]) -> Iterator[str]:
    for _ in rest:  # where more differs than is told, the newest records were not read yet
        pass
    alerts = select(alert_table.c.number, alert_table.c.state, alert_table.c.verdict)
    found = {str(row.number): (row.state, row.verdict or "") for row in connection.execute(alerts)}
    for number, told in newest.stands.items():
        if number not in found:
            yield f"alert {number} is gone"
        elif found[number] != told:
            shown, known = (" with verdict ".join(filter(None, each)) for each in (found[number], told))
            yield f"alert {number} is {shown}, and by the trail {known}"


def _records(connection: Connection) -> Iterator[_Line]:
    column = audit_table.c
    at = type_coerce(column.at, BigInteger)
    query = select(column.number, column.name, at, column.what, column.by, column.why, column.detail)
    query = query.where(column.subject == Subject.ALERT.value).order_by(column.number)
    for number, name, moment, what, by, why, detail in _streamed(connection, query):
        try:
            said = json.loads(detail)
            says = (name, moment, what, by, why, said["state"], said["level"])
            yield _Line(int(said["line"]), says, number, said["verdict"])
        except (ValueError, TypeError, KeyError):
            continue  # it was altered, as its chain says


def _lines(connection: Connection, first: int) -> Iterator[_Line]:
    column = alert_event_table.c
    at = type_coerce(column.at, BigInteger)
    query = select(column.id, column.alert, at, column.happening, column.by, column.why, column.state, column.level)
    for row in _streamed(connection, query.where(column.id >= first).order_by(column.id)):
        yield _Line(row[0], (str(row[1]), *row[2:]))


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(query.execution_options(yield_per=_AT_ONCE))
