"""Readings that are not there: single ones, long stretches, a history that has only begun."""

import numpy as np

from ingest.quality.fault import Fault
from ingest.quality.series import Series, Times
from ingest.reading import DAY

_HOUR = DAY // 24
_MISSING_FROM = 0.02
_GAP_INTERVALS = 10
_GAP_AT_LEAST = _HOUR // 2
_UNUSUAL = 20
_MOSTLY = 0.8
_SHORT_DAYS = 7
_SHORT_READINGS = 500


def missing(series: Series) -> Fault | None:
    """Find single readings that should be there: 2 % or more of those expected, large gaps not counted.

    Nothing can be missed where readings come at no steady pace and none is declared.
    """
    if not series.regular or series.interval == 0:
        return None
    steps = _with_ends(series)
    usual = steps[steps <= _gap_from(series)]
    expected = np.maximum(1, np.rint(usual / series.interval))
    lost = expected - 1
    # What was turned away is not missing: it has a kind of its own.
    away = series.rejected + series.outside
    share = float(max(0.0, lost.sum() - away) / max(1.0, expected.sum()))
    if share < _MISSING_FROM:
        return None
    touched = np.flatnonzero(lost)
    begin, end = _ends(series, steps <= _gap_from(series), touched)
    return Fault("missing", share, begin, end, f"{share:.0%} of the readings expected")


def gap(series: Series) -> Fault | None:
    """Find stretches without readings: ten intervals, and half an hour, or more.

    Where no pace is declared and readings come irregularly, twenty times the longest usual step.
    """
    if len(series) < 2:
        return None
    steps = _with_ends(series)
    long = np.flatnonzero(steps > _gap_from(series))
    if not len(long) or _filled_by_what_was_turned_away(series, steps[long]):
        return None
    longest = long[np.argmax(steps[long])]
    times = np.concatenate(([series.first], series.times, [series.last]))
    share = float(steps[long].sum() / max(1, series.last - series.first))
    also = f", the longest of {len(long)}" if len(long) > 1 else ""
    return Fault(
        "gap",
        share,
        int(times[longest]),
        int(times[longest + 1]),
        f"{_span(int(steps[longest]))} without a reading{also}",
    )


def short_history(series: Series) -> Fault | None:
    """Find a history of less than seven days or of fewer than 500 readings: too little to know what is usual."""
    if len(series) == 0:
        return None
    days = (int(series.times[-1]) - int(series.times[0])) / DAY
    if days >= _SHORT_DAYS * 0.99 and len(series) >= _SHORT_READINGS:
        return None
    share = 1 - min(days / _SHORT_DAYS, len(series) / _SHORT_READINGS, 1.0)
    detail = f"{len(series):,} readings over {_span(int(days * DAY))}"
    return Fault("short_history", share, int(series.times[0]), int(series.times[-1]), detail)


def _with_ends(series: Series) -> Times:
    """Return the steps, with those from the begin of the span and to its end."""
    return np.diff(np.concatenate(([series.first], series.times, [series.last])))


def _filled_by_what_was_turned_away(series: Series, gaps: Times) -> bool:
    """Say whether readings came all the while and were turned away, which has kinds of its own."""
    away = series.rejected + series.outside
    return series.regular and series.interval > 0 and away >= _MOSTLY * float(gaps.sum()) / series.interval


def _gap_from(series: Series) -> int:
    if series.regular:
        return max(_GAP_INTERVALS * series.interval, _GAP_AT_LEAST)
    return max(int(_UNUSUAL * np.quantile(series.steps, 0.95)), _GAP_AT_LEAST)


def _ends(series: Series, usual: np.ndarray, touched: np.ndarray) -> tuple[int, int]:
    times = np.concatenate(([series.first], series.times, [series.last]))
    places = np.flatnonzero(usual)[touched]
    return int(times[places[0]]), int(times[places[-1] + 1])


def _span(length: int) -> str:
    for unit, size in (("d", DAY), ("h", _HOUR), ("min", _HOUR // 60)):
        if length >= 2 * size:
            return f"{length / size:.0f} {unit}"
    return f"{length / 1e6:.0f} s"
