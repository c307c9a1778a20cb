"""What went wrong between sensor and store: times that came twice, values that are none, clocks that are wrong."""

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
    """Find values that were turned away as no numbers: one in a thousand or more."""
    return _counted("invalid", series, series.rejected, "were no numbers and were turned away")


def out_of_domain(series: Series) -> Fault | None:
    """Find values outside the range that the plant file declares: one in a thousand or more.

    Such values are turned away when they come; those that were kept before the range was declared count, too.
    """
    kept = series.values[(series.values < series.low) | (series.values > series.high)]
    count = series.outside + len(kept)
    share = count / max(1, series.outside + len(series))
    if share < _FROM:
        return None
    worst = f", such as {kept[np.argmax(np.maximum(series.low - kept, kept - series.high))]:.4g}" if len(kept) else ""
    detail = f"{count:,} readings ({share:.1%}) outside {series.low:g} to {series.high:g}{worst}"
    return Fault("out_of_domain", share, series.first, series.last, detail)


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
