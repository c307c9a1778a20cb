"""What went wrong between sensor and store: times that came twice, values turned away, clocks that are wrong."""

import numpy as np

from ingest.quality.fault import Fault
from ingest.quality.series import Series

_FROM = 0.001
_MINUTE = 60_000_000
_HOUR = 60 * _MINUTE
_STEADY = 2 * _MINUTE
_FEWEST = 50


def duplicate_stamp(series: Series) -> Fault | None:
    """Find times that came again with another value: one in a thousand or more."""
    return _counted("duplicate_stamp", series, series.replaced, "came again with another value")


def invalid(series: Series) -> Fault | None:
    """Find values that were turned away, as no numbers or out of the sensor's range: one in a thousand or more."""
    return _counted("invalid", series, series.rejected, "were turned away")


def clock_skew(series: Series) -> Fault | None:
    """Find a clock that is ahead of ours, or whole hours behind it as one of another time zone is.

    Judged by the time between a reading and its arrival, where that is steady to two minutes: what is
    loaded from files or sent in heaps has no steady delay and says nothing.
    """
    if series.arrived is None or len(series.arrived) < _FEWEST:
        return None
    delay = series.arrived - series.times
    usual = float(np.median(delay))
    if np.median(np.abs(delay - usual)) > _STEADY:
        return None
    hours = round(usual / (_HOUR / 2)) / 2
    ahead = usual < -_MINUTE
    behind = 0 < hours <= 14 and abs(usual - hours * _HOUR) <= 2 * _STEADY
    if not ahead and not behind:
        return None
    says = (
        f"{-usual / _MINUTE:.0f} min ahead of ours" if ahead else f"{hours:g} h behind ours; is it another time zone?"
    )
    return Fault("clock_skew", 1.0, int(series.times[0]), int(series.times[-1]), says)


def _counted(code: str, series: Series, count: int, what: str) -> Fault | None:
    share = count / max(1, count + len(series))
    if share < _FROM:
        return None
    return Fault(code, share, series.first, series.last, f"{count:,} readings ({share:.1%}) {what}")
