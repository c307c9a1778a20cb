"""Charts: the geometry of a line over time; a template draws it as SVG, no script needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from service.dashboard.axis import number, number_ticks, time_ticks
from service.series import Series

WIDTH, HEIGHT = 920, 170
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 16, 24
PIXELS = WIDTH - LEFT - RIGHT


@dataclass(frozen=True, slots=True)
class Span:
    """What a chart shows: (start, end] and the zone in which its times are written."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def x(self, moment: datetime) -> float:
        """Horizontal place of a moment, in pixels."""
        return round(LEFT + PIXELS * ((moment - self.start) / (self.end - self.start)), 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on the time axis; ``kind`` names its style, ``text`` is read out and shown on hover."""

    begin: datetime
    end: datetime | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """A mark in pixels; ``width`` is zero for an instant."""

    x: float
    width: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn line: everything in pixels, ready for the template.

    Attributes
    ----------
    path : the line as SVG path data, broken where readings are missing
    dots : single values with nothing beside them, which a line would not show
    threshold_y : height of the threshold, or ``None``
    y_ticks : none where there is no value, since the axis would be made up
    summary : what a screen reader says in place of the picture
    """

    title: str
    unit: str
    path: str
    dots: tuple[tuple[float, float], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    threshold_y: float | None
    threshold_text: str
    marks: tuple[PlacedMark, ...]
    summary: str
    empty: bool


def draw(
    title: str,
    unit: str,
    series: Series,
    span: Span,
    *,
    marks: Sequence[Mark] = (),
    threshold: float | None = None,
    bounds: tuple[float, float] | None = None,
) -> Chart:
    """Place a series in a chart of ``WIDTH`` × ``HEIGHT`` pixels.

    Parameters
    ----------
    series : thinned already; about ``PIXELS`` bins show all that can be seen
    threshold : drawn as a line across
    bounds : lowest and highest value of the axis; from the data when left out
    """
    low, high = bounds or bounds_of(series.value, threshold)

    def y(value: float) -> float:
        return height_of(value, (low, high))

    runs = [(_xs(series, span)[run].tolist(), [y(value) for value in series.value[run]]) for run in _runs(series)]
    return Chart(
        title=title,
        unit=unit,
        path="".join(_path(run_x, run_y) for run_x, run_y in runs if len(run_x) > 1),
        dots=tuple((float(run_x[0]), run_y[0]) for run_x, run_y in runs if len(run_x) == 1),
        x_ticks=tuple((span.x(at), label) for at, label in time_ticks(span.start, span.end, span.zone, 9)),
        y_ticks=tuple((y(at), label) for at, label in number_ticks(low, high, 4)) if len(series) else (),
        threshold_y=None if threshold is None else y(threshold),
        threshold_text="" if threshold is None else f"{number(threshold, 3)} {unit}".rstrip(),
        marks=tuple(_place(mark, span) for mark in marks if _visible(mark, span)),
        summary=_summary(title, unit, series, span.zone),
        empty=len(series) == 0,
    )


def ribbon(low: Series, high: Series, span: Span, bounds: tuple[float, float]) -> str:
    """Return the area between two series of the same times as SVG path data, broken where they are missing."""
    xs, parts = _xs(low, span), []
    for run in _runs(low):
        there = zip(xs[run].tolist(), (height_of(value, bounds) for value in high.value[run].tolist()), strict=True)
        back = zip(xs[run].tolist(), (height_of(value, bounds) for value in low.value[run].tolist()), strict=True)
        parts.append("M" + "L".join(f"{x:g},{y:g}" for x, y in (*there, *reversed([*back]))) + "Z")
    return "".join(parts)


def height_of(value: float, bounds: tuple[float, float]) -> float:
    """Vertical place of a value, in pixels; what lies outside of the bounds is drawn on them."""
    low, high = bounds
    return round(HEIGHT - BOTTOM - (min(max(value, low), high) - low) * ((HEIGHT - TOP - BOTTOM) / (high - low)), 1)


def _xs(series: Series, span: Span) -> NDArray[np.float64]:
    start = np.datetime64(span.start.astimezone(UTC).replace(tzinfo=None), "us")
    length = (span.end - span.start) / timedelta(microseconds=1)
    return np.round(LEFT + PIXELS * ((series.time - start).astype(np.int64) / length), 1)


def bounds_of(shown: NDArray[np.float64], threshold: float | None = None) -> tuple[float, float]:
    """Return the lowest and highest value of an axis that shows some values and a threshold, with a margin."""
    values = [
        *([shown.min(), shown.max()] if len(shown) else []),
        *([] if threshold is None else [threshold]),
    ]
    if not values:
        return 0.0, 1.0
    low, high = float(min(values)), float(max(values))
    margin = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def _runs(series: Series) -> list[slice]:
    """Parts of a series without a gap: steps longer than six median steps break the line."""
    if len(series) == 0:
        return []
    steps = np.diff(series.time).astype(np.int64)
    longest = 6 * np.median(steps) if len(steps) else 0
    breaks = [0, *(np.flatnonzero(steps > longest) + 1).tolist(), len(series)]
    return [slice(low, high) for low, high in pairwise(breaks)]


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in zip(xs, ys, strict=True))


def _visible(mark: Mark, span: Span) -> bool:
    return mark.begin <= span.end and (mark.end or mark.begin) >= span.start


def _place(mark: Mark, span: Span) -> PlacedMark:
    x = span.x(max(mark.begin, span.start))
    width = 0.0 if mark.end is None else round(span.x(min(mark.end, span.end)) - x, 1)
    return PlacedMark(x, width, mark.kind, mark.text)


def _summary(title: str, unit: str, series: Series, zone: ZoneInfo) -> str:
    if len(series) == 0:
        return f"{title}: nothing in this span."
    newest = datetime.fromisoformat(str(series.time[-1])).replace(tzinfo=UTC).astimezone(zone)
    low, high, last = (number(float(each)) for each in (series.value.min(), series.value.max(), series.value[-1]))
    return f"{title}: between {low} and {high} {unit}; {last} {unit} at {newest:%d %b %H:%M}."
