"""A signal within the band of what was expected of it, drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from service.dashboard.chart import Chart, Mark, Span, bounds_of, draw, ribbon
from service.series import Series, utc
from service.why import Expected


@dataclass(frozen=True, slots=True)
class BandChart:
    """A drawn signal.

    Attributes
    ----------
    band : the band that nine in ten healthy values lie in, as SVG path data
    expected : the expected value, likewise
    """

    chart: Chart
    band: str
    expected: str


def band_chart(shown: Expected, zone: ZoneInfo, marks: Sequence[Mark]) -> BandChart:
    """Draw a signal, with the band behind it."""
    series = shown.series
    times = utc(series.time)
    span = Span(min(times[0], times[-1] - timedelta(hours=1)), times[-1], zone)
    every = np.concatenate([series.actual, series.low, series.high])
    bounds = bounds_of(every[np.isfinite(every)])
    known = np.isfinite(series.low) & np.isfinite(series.high)
    there = np.isfinite(series.actual)
    title = f"{shown.signal}, {shown.feature}"
    actual = Series(series.time[there], series.actual[there])
    drawn = draw(title, shown.unit, actual, span, marks=marks, bounds=bounds)
    middle = draw(title, shown.unit, Series(series.time[known], series.expected[known]), span, bounds=bounds)
    both = known & there
    inside = ((series.actual >= series.low) & (series.actual <= series.high))[both]
    told = f" {np.count_nonzero(inside)} of {len(inside)} values lie within what was expected." if len(inside) else ""
    low, high = (Series(series.time[known], edge[known]) for edge in (series.low, series.high))
    return BandChart(replace(drawn, summary=drawn.summary + told), ribbon(low, high, span, bounds), middle.path)
