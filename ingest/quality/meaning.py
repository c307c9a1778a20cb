"""Signals that are no measurements: counters that begin anew, codes of states."""

import numpy as np

from ingest.quality.fault import Fault
from ingest.quality.series import Series

_FEWEST = 200
_MOST_STATES = 10
_HIGHEST_STATE = 20
_LEAPS = 0.2


def counter_reset(series: Series) -> Fault | None:
    """Find a counter that falls back: it never falls otherwise, and then by most of what it had."""
    falls = np.flatnonzero(series.changes < 0)
    if not len(falls) or not series.counts_up:
        return None
    share = len(falls) / len(series)
    detail = f"{len(falls):,} times, such as from {series.values[falls[0]]:,.6g} to {series.values[falls[0] + 1]:,.6g}"
    return Fault("counter_reset", share, int(series.times[falls[0]]), int(series.times[falls[-1] + 1]), detail)


def categorical(series: Series) -> Fault | None:
    """Find a few small whole numbers among which it leaps, as codes do; a measurement passes what lies between."""
    if len(series) < _FEWEST or series.counts_up:
        return None
    values = np.unique(series.values)
    if not 2 <= len(values) <= _MOST_STATES or np.abs(values).max() > _HIGHEST_STATE or (values % 1).any():
        return None
    ranks = np.searchsorted(values, series.values)
    moves = np.abs(np.diff(ranks))
    leaps = np.mean(moves[moves > 0] > 1)
    if len(values) > 2 and leaps < _LEAPS:
        return None
    shown = ", ".join(f"{each:g}" for each in values)
    return Fault("categorical", 1.0, series.first, series.last, f"only {shown}")
