"""Readings: pushed in batches, and read back as one machine's signals over a span."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

import pyarrow as pa
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field

from ingest.decode.cut import Body
from ingest.errors import UnknownNameError
from ingest.plant import MachineClass
from service.api.body import RawBody, content_type
from service.api.given import Now, Room, Span, machine_named, nearest
from service.api.paging import Page, link_with
from service.api.problem import ProblemError
from service.api.push import ARROW, CSV, FORMATS, JSON, LINES, Receipt
from service.api.push_desks import head_of
from service.series import Series, column_series, signal_series, utc

router = APIRouter(tags=["readings"])
DEFAULT_SPAN = timedelta(days=1)
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

_WIDE = [{"machine": "press-7", "time": "2026-05-03T06:00:00Z", "temperature": 61.2, "pressure": 5.1}]
_LONG = [{"machine": "press-7", "time": "2026-05-03T06:00:00Z", "signal": "temperature", "value": 61.2}]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"type": "array", "items": {"type": "object"}},
                "examples": {
                    "wide": {"summary": "One row for each machine and time", "value": _WIDE},
                    "long": {"summary": "One row for each reading", "value": _LONG},
                },
            },
            CSV: {
                "schema": {"type": "string"},
                "examples": {
                    "wide": {"value": "machine,time,temperature\npress-7,2026-05-03T06:00:00Z,61.2\n"},
                    "long": {"value": "machine,time,signal,value\npress-7,2026-05-03T06:00:00Z,temperature,61.2\n"},
                },
            },
            LINES: {
                "schema": {"type": "string"},
                "examples": {
                    "line protocol": {
                        "summary": "InfluxDB line protocol: the tag machine, a field for each signal",
                        "value": "readings,machine=press-7 temperature=61.2,pressure=5.1 1777788000000000000\n",
                    },
                },
            },
            ARROW: {
                "schema": {"type": "string", "format": "binary"},
                "examples": {
                    "wide": {"summary": "One IPC stream with the columns machine, time and a float64 for each signal"},
                    "long": {"summary": "One IPC stream with the columns machine, time, signal and value"},
                },
            },
        },
    }
}


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
    key: Key = None,
    precision: Precision = "ns",
) -> Receipt:
    """Keep a batch of readings: JSON, CSV, InfluxDB line protocol or an Arrow IPC stream.

    A row is a machine at a time with a value for each signal, or one reading. The body may be packed
    (``Content-Encoding: gzip`` or ``zstd``). Good rows are kept, whatever is wrong with others; 422 when
    none could be kept. The answer comes after they are on disk; 503 with ``Retry-After`` when more comes
    than can be taken. A value that is there already for this machine, signal and time is replaced.
    """
    head = head_of(room, {"precision": precision})
    return await request.app.state.pushes.of(room).take(Body(_format(request), body, now, head), key)


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
    given = content_type(request.headers)
    if given not in FORMATS:
        *some, last = FORMATS
        raise ProblemError(
            415,
            f"readings come as {', '.join(some)} or {last}, not as {given or 'a body without a Content-Type'}",
            headers={"Accept-Post": ", ".join(FORMATS)},
        )
    return FORMATS[given]


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
