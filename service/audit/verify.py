"""Verify: read the whole trail and say whether it is as it was written.

Three things are held against each other: each record against the chain of the one before it, the end against
what was vouched for, and what the trail says of alerts against the history that people are shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, select, type_coerce
from sqlalchemy.engine import Connection

from ingest.errors import AuditError
from service.audit.against_history import differences
from service.audit.record import BEGIN, link
from service.audit.signed_head import Seal, SignedHead, reaches
from service.audit.tables import audit_table
from service.audit.trail import FIELDS, Head

MOST_TOLD = 20
"""Of so many faults each is told; what was written anew from one record on breaks each chain after it."""

_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a look at a trail.

    Attributes
    ----------
    begin, head : which records were read, from ``begin`` on
    faults : one line for each thing that is not as it was written; none where all is well
    remarks : what a person should know all the same
    """

    begin: int
    head: Head
    faults: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def verify(connection: Connection, seal: Seal, *, begin: int = 1, heads: Sequence[SignedHead] = ()) -> Report:
    """Read the trail from a record on, and say what is not as it was written.

    Parameters
    ----------
    begin : the records before it are taken as they are
    heads : further heads that were kept elsewhere; the trail has to hold each of them
    """
    faults: list[str] = []
    end = Head(0, BEGIN) if begin == 1 else _before(connection, begin, faults)
    for fault, place in _walk(connection, end):
        end = place
        if fault and len(faults) <= MOST_TOLD:
            faults.append(fault)
    faults = faults[:MOST_TOLD] + (["and more"] if len(faults) > MOST_TOLD else [])
    told, remarks = _vouched(connection, seal, end, heads)
    return Report(begin, end, (*faults, *told, *differences(connection)), remarks)


def _before(connection: Connection, begin: int, faults: list[str]) -> Head:
    number = begin - 1
    chain = connection.execute(select(audit_table.c.chain).where(audit_table.c.number == number)).scalar_one_or_none()
    if chain is None:
        faults.append(f"record {number} is missing, from which on the trail was to be read")
    return Head(number, chain or BEGIN)


def _walk(connection: Connection, end: Head) -> Iterator[tuple[str, Head]]:
    """Read records one after the other; yield what is wrong with each, and how far the trail is."""
    for row in _rows(connection, end.count):
        number, said = row[0], row[-1]
        fault = ""
        if number != end.count + 1:
            fault = f"{_so_many(end.count + 1, number - 1)} missing"
        elif _chain(end.chain, row[:-1]) != said:
            fault = f"record {number} is not as it was written, or not in its place"
        end = Head(number, said)
        yield fault, end


def _rows(connection: Connection, after: int) -> Iterator[tuple[Any, ...]]:
    """Return records as they lie in the database, in order; those before the first one as well, where they are none."""
    column = audit_table.c
    # Bare numbers: a time that was altered need be none.
    kept = [type_coerce(column[name], BigInteger) if name == "at" else column[name] for name in (*FIELDS, "chain")]
    query = select(*kept).order_by(column.number).limit(_AT_ONCE)
    last = after if after else None
    while rows := connection.execute(query if last is None else query.where(column.number > last)).all():
        yield from map(tuple, rows)
        last = rows[-1][0]


def _chain(before: str, fields: tuple[Any, ...]) -> str | None:
    try:
        return link(before, fields)
    except (ValueError, TypeError):
        return None


def _so_many(first: int, last: int) -> str:
    if last < first:
        return f"record {first} stands where it does not belong; others are"
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def _vouched(
    connection: Connection, seal: Seal, end: Head, heads: Sequence[SignedHead]
) -> tuple[list[str], tuple[str, ...]]:
    """Hold the end of the trail against what was vouched for."""
    try:
        kept = seal.kept()
        faults = [why] if (why := seal.hindrance(connection, kept)) else []
    except AuditError as error:
        return [str(error)], ()
    for each in heads:
        why = each.refusal(seal.keys) or reaches(connection, each.head)
        faults += [f"the head of {each.at.isoformat()} ({each.head.count} records): {why}"] if why else []
    if kept is None:
        return faults, (
            "nobody vouched for the trail yet: that its end was not cut off is not sure",
        ) if end.count else ()
    after = end.count - kept.head.count
    return faults, (f"{after} of them are newer than the signed head: they could be cut off",) if after > 0 else ()
