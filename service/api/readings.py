"""Readings: pushed in batches, and read back as one machine's signals over a span."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

import pyarrow as pa
from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field

from ingest.decode.again import DECODERS
from ingest.decode.cut import Body, dead_letters
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery, other_content
from ingest.errors import OtherContentError, UnknownNameError
from ingest.plant import MachineClass, Plant
from ingest.report import Rejection
from service.api.body import INLINE_BYTES, RawBody, content_type
from service.api.given import Into, Now, Room, Span, machine_named, nearest
from service.api.paging import Page, link_with
from service.api.problem import Fault, ProblemError
from service.series import Series, column_series, signal_series, utc

router = APIRouter(tags=["readings"])
SOURCE = "api"
DEFAULT_SPAN = timedelta(days=1)
SHOWN = 100
"""Faults that an answer lists."""

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Names this batch: the same again changes nothing, another body under this key is refused. "
        "The body's own hash when left out.",
    ),
]

Precision = Annotated[Literal["ns", "us", "ms", "s"], Query(description="What the timestamps of line protocol count.")]

_JSON, _CSV, _ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
FORMATS: Mapping[str, str] = {_JSON: "json", _CSV: "csv", "text/plain": "line_protocol", _ARROW: "arrow"}
"""Which decoder reads each media type; line protocol has none of its own and comes as ``text/plain``."""

_WIDE = [{"machine": "press-7", "time": "2026-05-03T06:00:00Z", "temperature": 61.2, "pressure": 5.1}]
_LONG = [{"machine": "press-7", "time": "2026-05-03T06:00:00Z", "signal": "temperature", "value": 61.2}]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "examples": {
                    "wide": {"summary": "One row for each machine and time", "value": _WIDE},
                    "long": {"summary": "One row for each reading", "value": _LONG},
                },
            },
            "text/csv": {
                "schema": {"type": "string"},
                "examples": {
                    "wide": {"value": "machine,time,temperature\npress-7,2026-05-03T06:00:00Z,61.2\n"},
                    "long": {"value": "machine,time,signal,value\npress-7,2026-05-03T06:00:00Z,temperature,61.2\n"},
                },
            },
            "text/plain": {
                "schema": {"type": "string"},
                "examples": {
                    "line protocol": {
                        "summary": "InfluxDB line protocol: the tag machine, a field for each signal",
                        "value": "readings,machine=press-7 temperature=61.2,pressure=5.1 1777788000000000000\n",
                    },
                },
            },
            _ARROW: {
                "schema": {"type": "string", "format": "binary"},
                "examples": {
                    "wide": {"summary": "One IPC stream with the columns machine, time and a float64 for each signal"},
                    "long": {"summary": "One IPC stream with the columns machine, time, signal and value"},
                },
            },
        },
    }
}


class Receipt(BaseModel):
    """What became of readings that were sent."""

    accepted: int = Field(description="Single readings that are on disk now.")
    repeated: bool = Field(description="Whether this batch was known already, so that nothing changed.")
    rejected: int = Field(
        description="Rows and cells that were turned away; each is kept as a dead letter, to be replayed."
    )
    missing: int = Field(description="Empty cells, null and NaN: neither readings nor mistakes.")
    errors: list[Fault] = Field([], description="Why, for the first of them.")


class SignalSeries(BaseModel):
    """Values of one signal in the order of time."""

    unit: str
    time: list[datetime]
    value: list[float]


class ReadingsPage(Page):
    """One machine's signals over (start, end]."""

    machine: str
    start: datetime
    end: datetime
    thinned: bool = Field(description="Whether only the lowest and highest value of each part of the span are given.")
    signals: dict[str, SignalSeries]


@router.post("/readings", openapi_extra=_BODY)
async def push_readings(
    request: Request,
    body: RawBody,
    room: Room,
    now: Now,
    intake: Into,
    key: Key = None,
    precision: Precision = "ns",
) -> Receipt:
    """Keep a batch of readings: JSON, CSV, InfluxDB line protocol or an Arrow IPC stream.

    A row is a machine at a time with a value for each signal, or one reading. The body may be packed
    (``Content-Encoding: gzip`` or ``zstd``). Good rows are kept, whatever is wrong with others; 422 when
    none could be kept. The answer comes after they are on disk; 503 with ``Retry-After`` when more comes
    than can be taken. A value that is there already for this machine, signal and time is replaced.
    """
    came = Body(_format(request), body, now, {"precision": precision})
    if len(body) > INLINE_BYTES:
        delivery, decoded = await to_thread.run_sync(_delivery, came, room.plant, key)
    else:
        delivery, decoded = _delivery(came, room.plant, key)
    kept = await asyncio.wrap_future(intake.put(delivery))
    if kept.other:
        raise OtherContentError(other_content(key or ""))
    faults = [_fault(each) for each in decoded.rejections[:SHOWN]]
    accepted = sum(each.count for each in decoded.readings)
    metrics = request.app.state.metrics
    metrics.rejected.inc(decoded.rejected)
    if faults and not accepted:
        raise ProblemError(422, "no reading could be kept", errors=faults)
    metrics.accepted.inc(accepted if kept.fresh else 0)
    return Receipt(
        accepted=accepted,
        repeated=not kept.fresh,
        rejected=decoded.rejected,
        missing=decoded.missing,
        errors=faults,
    )


@router.get("/readings")
def show_readings(
    request: Request,
    room: Room,
    now: Now,
    span: Span,
    machine: Annotated[str, Query(description="The machine.")],
    signal: Annotated[
        list[str] | None, Query(description="Only these signals; all of its class when left out.")
    ] = None,
    points: Annotated[
        int | None, Query(ge=10, le=20_000, description="Thin each signal to about so many values; spikes survive.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=20_000, description="Rows of a page, where nothing is thinned.")] = 5_000,
) -> ReadingsPage:
    """Return a machine's signals over (start, end]: every value in pages, or thinned to ``points``.

    The span is the last day when it is left out.
    """
    found, machine_class = machine_named(room.plant, machine)
    signals = _signals(machine_class, signal)
    start, end = span.closed(now, DEFAULT_SPAN)
    if points is not None:
        series = signal_series(room.store, found.name, machine_class.name, signals, (start, end), points // 2)
        shown, more = series, None
    else:
        shown, last = _first_rows(room, found.name, machine_class, signals, (start, end), limit)
        more = None if last is None else link_with(request, start=_iso(last), end=_iso(end))
    units = {each.name: each.unit for each in machine_class.signals}
    return ReadingsPage(
        machine=found.name,
        start=start,
        end=end,
        thinned=points is not None,
        signals={
            name: SignalSeries(unit=units[name], time=utc(each.time), value=each.value.tolist())
            for name, each in shown.items()
        },
        next=more,
    )


def _format(request: Request) -> str:
    given = content_type(request)
    if given not in FORMATS:
        *some, last = FORMATS
        raise ProblemError(
            415,
            f"readings come as {', '.join(some)} or {last}, not as {given or 'a body without a Content-Type'}",
            headers={"Accept-Post": ", ".join(FORMATS)},
        )
    return FORMATS[given]


def _delivery(came: Body, plant: Plant, key: str | None) -> tuple[Delivery, Decoded]:
    decoded = DECODERS[came.kind](came.body, came.head, plant, came.arrived)
    # What gave no reading may be sent again, once the plant file is mended.
    digest = came.digest
    position = (key or f"sha256:{digest}") if decoded.readings else ""
    return Delivery(
        source=SOURCE,
        readings=tuple(decoded.readings),
        rejections=tuple(decoded.rejections),
        position=position,
        digest=digest,
        dead_letters=dead_letters(came, decoded),
    ), decoded


def _fault(rejection: Rejection) -> Fault:
    column = f", column {rejection.column}" if rejection.column else ""
    place = f"row {rejection.line}{column}" if rejection.line else "the whole"
    said = f" ({rejection.value!r})" if rejection.value else ""
    return Fault(where=place, reason=f"{rejection.reason}{said}")


def _signals(machine_class: MachineClass, asked: list[str] | None) -> tuple[str, ...]:
    known = [each.name for each in machine_class.signals]
    for name in asked or ():
        if name not in known:
            hint = nearest(name, known) or f"; it has: {', '.join(known)}"
            raise UnknownNameError(f"no signal {name!r} in class {machine_class.name!r}{hint}")
    return tuple(dict.fromkeys(asked or known))


def _first_rows(
    room: Room,
    machine: str,
    machine_class: MachineClass,
    signals: tuple[str, ...],
    span: tuple[datetime, datetime],
    limit: int,
) -> tuple[dict[str, Series], datetime | None]:
    """Read the first ``limit`` rows of a span without holding the whole span.

    Returns
    -------
    a series for each signal, and the time of the last row if there are more after it
    """
    start, end = span
    tables: list[pa.Table] = []
    step = timedelta(days=1)
    rows = 0
    while start < end and rows <= limit:
        upto = min(end, start + step)
        table = room.store.read(
            machine_class.name, machines=[machine], signals=list(signals), start=start, end=upto
        ).table
        tables.append(table)
        rows += table.num_rows
        # A sparse machine: look at more at once, so that an empty year is read in a few steps.
        step = step if table.num_rows > limit // 4 else 2 * step
        start = upto
    table = pa.concat_tables(tables).slice(0, limit)
    more = table["time"][-1].as_py() if rows > limit else None
    return {name: column_series(table, name) for name in signals}, more


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
