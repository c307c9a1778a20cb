"""The pages of control charts: how each characteristic stands, and one of them drawn."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ingest.duration import format_duration
from service.answers import full_hour
from service.api.given import Seen, machine_named, moment
from service.api.iso import Iso
from service.characteristics import characteristic_named, look_at, standing
from service.dashboard import chart
from service.dashboard.band_chart import BandChart
from service.dashboard.chart import Mark, Span, bounds_of, draw, ribbon
from service.dashboard.render import page
from service.kept_characteristics import kept_characteristics
from service.series import Series, thin

if TYPE_CHECKING:
    from models.efficiency.characteristic import Watched

router = APIRouter()

SPANS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year"))
_FIRST = {"shifted": 0, "unstable": 1, "no chart": 2, "learning": 3, "in control": 5}
_UNSEEN = 4
_COLUMNS = ["value", "expected", "low", "high"]
_INDICES = (("cp", "Cp"), ("cpk", "Cpk"), ("pp", "Pp"), ("ppk", "Ppk"))


@dataclass(frozen=True, slots=True)
class Row:
    """One characteristic in the list; ``state`` is empty where nobody looked at it yet."""

    machine: str
    signal: str
    state: str
    says: str
    until: datetime | None


@router.get("/characteristics")
def characteristics_page(request: Request, seen: Seen) -> Response:
    """Show how every characteristic stands, what was signalled first."""
    rows = [
        Row(name, each.signal, "", "", None)
        if kept is None
        else Row(name, each.signal, kept.state, kept.says, kept.until)
        for name, each, kept in standing(seen.room.plant, seen.room.state)
    ]
    rows.sort(key=lambda row: _FIRST.get(row.state, _UNSEEN))
    return page(request, "characteristics.html", rows=rows)


@router.get("/characteristics/chart")
def chart_page(
    request: Request,
    seen: Seen,
    machine: Annotated[str, Query(description="The machine.")],
    signal: Annotated[str, Query(description="Its signal.")],
    days: Annotated[int, Query(ge=1, le=3660)] = 30,
    until: Iso | None = None,
) -> Response:
    """Show the control chart of a signal over the last days, or over the days before ``until``.

    It is worked out once an hour and when a job has looked at it; a chart that none has learnt yet takes seconds.
    """
    room = seen.room
    machine_named(room.plant, machine)
    characteristic_named(room.plant, machine, signal)
    end = min(seen.now, moment(until, room.plant, "query.until")) if until else seen.now
    length = timedelta(days=days)
    with room.state.read() as connection:
        kept = kept_characteristics(connection, [machine]).get((machine, signal))
    found: Watched = seen.answers.to(
        ("characteristic", machine, signal, full_hour(end), kept and (kept.until, kept.declared), seen.reached),
        lambda: look_at(room.plant, room.store, room.state, machine, signal, end),
    )
    span = Span(end - length, end, room.plant.zone)
    return page(
        request,
        "characteristic.html",
        frame=chart,
        found=found,
        every=format_duration(found.characteristic.every),
        picture=picture(found, span),
        signals=[] if found.charted is None else list(reversed(found.charted.signals))[:20],
        indices=_INDICES,
        spans=SPANS,
        chosen=days,
        until_text=_iso(end) if until else "",
        earlier=_iso(end - length),
        later=_iso(end + length) if end < seen.now else "",
        span=span,
    )


def picture(found: "Watched", span: Span) -> BandChart | None:
    """Draw the points of a span within the limits of a jump, each signal marked; ``None`` where there is no point."""
    charted = found.charted
    since = pd.DataFrame(columns=_COLUMNS) if charted is None else charted.points[_COLUMNS]
    first = pd.DataFrame({"value": found.phase_one.means}, columns=_COLUMNS)
    points = pd.concat([first, since]).astype(float)
    shown = points[(points.index > span.start) & (points.index <= span.end) & np.isfinite(points["value"])]
    if shown.empty:
        return None
    numbers = shown[["value", "low", "high"]].to_numpy()
    bounds = bounds_of(numbers[np.isfinite(numbers)])
    signals = () if charted is None else charted.signals
    marks = [Mark(each.at.to_pydatetime(), None, "alert", each.sentence) for each in signals]
    title = f"{found.characteristic.signal}, mean of {format_duration(found.characteristic.every)}"
    # A jump of one point is seen however many there are.
    value = thin(_series(shown, "value"), span.start, span.end, chart.PIXELS)
    drawn = draw(title, found.unit, value, span, marks=marks, bounds=bounds)
    limits = shown[np.isfinite(shown["low"])]
    limits = limits.iloc[:: max(1, len(limits) // chart.PIXELS)]
    return BandChart(
        replace(drawn, summary=f"{drawn.summary} {len(signals)} signals since phase I."),
        ribbon(_series(limits, "low"), _series(limits, "high"), span, bounds),
        draw("expected", found.unit, _series(limits, "expected"), span, bounds=bounds).path,
    )


def _series(points: pd.DataFrame, column: str) -> Series:
    times = pd.DatetimeIndex(points.index).tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")
    return Series(times, points[column].to_numpy(float))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
