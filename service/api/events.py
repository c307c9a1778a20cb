"""Events: what happened to machines, told by people and other systems."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import pandas as pd
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.catalogue import to_microseconds
from ingest.decode.ahead import PLANNED, latest_believed, why_ahead
from ingest.decode.hint import Hints
from ingest.decode.old import earliest_believed, why_old
from ingest.event import EVENT_KINDS, Event, EventKind, events_table
from ingest.keepable import keepable
from ingest.plant import Plant
from service.api.body import RawBody, content_type
from service.api.given import Now, Room, Span, machine_named, moment
from service.api.iso import Iso
from service.api.paging import Limit, Offset, Page, trimmed
from service.api.problem import Fault, ProblemError
from service.api.text import Told

router = APIRouter(tags=["events"])
SOURCE = "api"
MOST_EVENTS = 10_000
MOST_MACHINES = 500
SHOWN = 100
"""Faults that an answer lists."""
_MOST_REASONS = 20
_LONGEST_REASON = 300
"""Letters of one of them: it may quote the name of a key."""

Word = Annotated[str, Field(max_length=10_000)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same again changes nothing; another body is refused.",
    ),
]


class EventView(Told):
    """One thing that happened to one machine."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "machine": "press-7",
                    "kind": "failure",
                    "time": "2026-05-03T06:12:00+02:00",
                    "component": "bearing",
                    "code": "B12",
                    "note": "seized",
                }
            ]
        },
    )

    machine: Annotated[str, Field(min_length=1, max_length=200)]
    kind: EventKind
    time: Iso = Field(description="When it happened or began; local plant time if it has no offset.")
    end: Iso | None = Field(None, description="When it was over; null for an instant.")
    component: Word = Field("", description="Part of the machine; of an order or a count its product.")
    code: Word = Field(
        "",
        description="Failure mode, error code, state, reason of a stop or order number; of a count `good`, `scrap` or "
        "`rework`.",
    )
    value: Annotated[float | None, Field(allow_inf_nan=False)] = Field(
        None, description="A number that belongs to it, such as the pieces of a count."
    )
    note: Word = ""


class EventPage(Page):
    """Some events."""

    items: list[EventView]


class EventReceipt(BaseModel):
    """What became of events that were sent."""

    added: int
    repeated: int = Field(description="Events that were known already.")
    rejected: int
    errors: list[Fault] = Field(
        [], max_length=SHOWN, description="Why, for the first events that were turned away; the others are kept."
    )


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/EventView"},
                        {"type": "array", "items": {"$ref": "#/components/schemas/EventView"}},
                    ]
                }
            }
        },
    }
}


@router.post("/events", openapi_extra=_BODY)
def add_events(
    request: Request, response: Response, body: RawBody, room: Room, now: Now, key: Key = None
) -> EventReceipt:
    """Keep one event or a list of up to 10,000; each is kept or turned away for itself.

    Answers 422 when none of them could be kept. The answer comes after they are on disk.
    """
    events, errors = read_events(_rows(request, body), room.plant, now)
    if errors and not events:
        raise ProblemError(422, "no event could be kept", errors=errors[:SHOWN])
    digest = hashlib.sha256(body).hexdigest()
    # Readings come from the same source; a key of theirs is none of ours.
    position = f"events {key}" if key else ""
    added, repeated = room.store.add_events(
        events_table(events), source=SOURCE, position=position, remembered="key", digest=digest
    )
    response.status_code = 201 if added else 200
    return EventReceipt(added=added, repeated=repeated, rejected=len(errors), errors=errors[:SHOWN])


@router.get("/events")
def list_events(
    request: Request,
    room: Room,
    span: Span,
    machine: Annotated[list[str] | None, Query(max_length=MOST_MACHINES, description="Only of these machines.")] = None,
    kind: Annotated[
        list[EventKind] | None, Query(max_length=len(EVENT_KINDS), description="Only of these kinds.")
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> EventPage:
    """Return events of (start, end], oldest first."""
    for name in machine or ():
        machine_named(room.plant, name)
    table = room.store.event_page(
        machines=machine or room.shown, kinds=kind, start=span.start, end=span.end, offset=offset, limit=limit + 1
    )
    rows, next_page = trimmed(request, records(table), limit, offset)
    return EventPage(items=[event_view(row) for row in rows], next=next_page)


def rows_of(body: bytes) -> Sequence[object]:
    """Return what a body holds: one event, or the events of a list, none of them checked.

    Raises
    ------
    ProblemError
        400 when it is no JSON, 413 when there are more than ``MOST_EVENTS``.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"the body is not JSON: {error}") from error
    rows = parsed if isinstance(parsed, list) else [parsed]
    if len(rows) > MOST_EVENTS:
        raise ProblemError(413, f"{len(rows):,} events are too many for one request; send at most {MOST_EVENTS:,}")
    return rows


def read_events(rows: Sequence[object], plant: Plant, now: datetime) -> tuple[list[Event], list[Fault]]:
    """Check events one by one.

    Returns
    -------
    the good ones, and a fault for each of the others that names its place, counted from 1
    """
    events, faults = [], []
    names, hints = [each.name for each in plant.machines], Hints()
    machines = set(names)
    for place, row in enumerate(rows, start=1):
        try:
            told = EventView.model_validate(row)
            if told.machine in machines:
                events.append(_event(told, plant, now))
            else:
                reason = f"no machine {told.machine!r}{hints.of(told.machine, names)}"
                faults.append(Fault(where=f"event {place}", reason=reason))
        except ValidationError as error:
            faults.append(Fault(where=f"event {place}", reason=_reasons(error)))
        except ProblemError as error:
            faults.append(Fault(where=f"event {place}", reason=str(error)))
    return events, faults


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return an events table as one mapping for each row, times aware, what is missing as ``None``."""
    found = cast(list[dict[str, Any]], table.to_dict("records"))
    for row in found:
        row["time"] = row["time"].to_pydatetime()
        row["end"] = None if pd.isna(row["end"]) else row["end"].to_pydatetime()
        row["value"] = None if pd.isna(row["value"]) else row["value"]
    return found


def event_view(record: dict[str, Any]) -> EventView:
    """Show one event."""
    return EventView.model_construct(**record)


def _rows(request: Request, body: bytes) -> Sequence[object]:
    if content_type(request.headers) != "application/json":
        raise ProblemError(415, "events come as application/json", headers={"Accept-Post": "application/json"})
    return rows_of(body)


def _reasons(error: ValidationError) -> str:
    """Say the first of what is wrong with an event: it may have a hundred thousand keys that are none."""
    # Without what was sent: an error may quote all of it.
    found = error.errors(include_url=False, include_input=False) if error.error_count() <= _MOST_REASONS else []
    said = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ")[:_LONGEST_REASON] for each in found]
    return keepable("; ".join(said) or f"{error.error_count():,} mistakes, such as keys that events do not have")


def _event(told: EventView, plant: Plant, now: datetime) -> Event:
    time = moment(told.time, plant, "time")
    if told.kind not in PLANNED and time > latest_believed(now):
        raise ProblemError(422, f"time: {time.isoformat()} is {why_ahead(now)}")
    if to_microseconds(time) < earliest_believed(now, plant.old_after):
        raise ProblemError(422, f"time: {time.isoformat()} is {why_old(now, plant.old_after)}")
    end = None if told.end is None else moment(told.end, plant, "end")
    if end is not None and end < time:
        raise ProblemError(422, f"end: {end.isoformat()} is before time, {time.isoformat()}")
    return Event(
        machine=told.machine,
        kind=told.kind,
        time=time,
        end=end,
        component=told.component,
        code=told.code,
        value=told.value,
        note=told.note,
    )
