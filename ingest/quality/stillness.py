"""Sensors that hang: the same value for longer than chance allows, or the end of the range."""

import numpy as np
from numpy.typing import NDArray

from ingest.quality.fault import Fault
from ingest.quality.series import Series

_LONG = 3.0
_AT_LEAST = 10
_RECURRING = 3
_AT_LIMIT = 1e-3
_AT_LIMIT_FROM = 0.01
_MANY_VALUES = 50


def flat(series: Series) -> Fault | None:
    """Find runs of one value, three times longer than the longest that chance would give.

    With a share p of steps that change nothing, the longest run of n readings is about log(n) / −log(p).
    A value at which it stands still again and again, as a machine at rest does, is none; nor is the end
    of the range, which has a kind of its own.
    """
    if len(series) < 2 * _AT_LEAST or series.counts_up:
        return None
    begins, lengths = series.runs
    if len(begins) == 1:
        return Fault("flat", 1.0, series.first, series.last, f"always {series.values[0]:g}")
    long = _long_runs(series)
    long = [each for each in long if not _at_limit(series, float(series.values[begins[each]]))]
    if not long:
        return None
    longest = max(long, key=lambda each: int(lengths[each]))
    begin = int(begins[longest])
    end = begin + int(lengths[longest]) - 1
    share = float(lengths[long].sum() / len(series))
    detail = f"{lengths[longest]:,} readings of {series.values[begin]:g} one after the other"
    return Fault("flat", share, int(series.times[begin]), int(series.times[end]), detail)


def stuck_at_limit(series: Series) -> Fault | None:
    """Find a sensor at the end of its range: long runs there, or one in a hundred readings of many values.

    The range is the one that the plant file declares; where it declares none, the highest and the lowest
    value read are its ends, if readings heap up there as no other value does.
    """
    if len(series) < 2 * _AT_LEAST or len(series.runs[0]) == 1 or series.counts_up:
        return None
    begins, lengths = series.runs
    long = {each for each in _long_runs(series) if _at_limit(series, float(series.values[begins[each]]))}
    at_end = [place for place in _heaps(series) if not _resting(series)[place].all()]
    places = np.unique(
        np.concatenate(
            [np.arange(begins[each], begins[each] + lengths[each]) for each in sorted(long)] + at_end
            or [np.zeros(0, np.int64)]
        )
    ).astype(np.int64)
    if not len(places):
        return None
    value = float(series.values[places[0]])
    share = len(places) / len(series)
    begin, end = int(series.times[places[0]]), int(series.times[places[-1]])
    return Fault("stuck_at_limit", share, begin, end, f"{len(places):,} readings ({share:.1%}) of {value:g}")


def _long_runs(series: Series) -> list[int]:
    """Return the numbers of the runs that are longer than chance allows, at values where that is not usual."""
    begins, lengths = series.runs
    # The longest runs are left out of the estimate: they may be the fault that is looked for.
    usual = np.sort(lengths)[: max(1, int(len(lengths) * 0.98))]
    unchanged = 1 - len(usual) / max(len(usual) + 1, int(usual.sum()))
    by_chance = np.log(len(series)) / -np.log(min(max(unchanged, 1e-3), 1 - 1e-9))
    long = np.flatnonzero(lengths >= max(_AT_LEAST, _LONG * by_chance))
    resting = _resting(series)
    awake = [int(each) for each in long if not resting[begins[each] : begins[each] + lengths[each]].mean() > 0.5]
    values, counts = np.unique(series.values[begins[long]], return_counts=True)
    usual_places = set(values[counts >= _RECURRING].tolist())
    return [each for each in awake if float(series.values[begins[each]]) not in usual_places]


def _at_limit(series: Series, value: float) -> bool:
    if not np.isfinite(series.high - series.low):
        return False
    close = _AT_LIMIT * (series.high - series.low)
    return value <= series.low + close or value >= series.high - close


def _heaps(series: Series) -> list[NDArray[np.int64]]:
    """Return the places at each end of what was read, where readings heap up there as nowhere else."""
    values, counts = np.unique(series.values, return_counts=True)
    if len(values) < _MANY_VALUES:
        return []
    declared = np.isfinite(series.high - series.low)
    ends = [0, -1] if not declared else [end for end in (0, -1) if _at_limit(series, float(values[end]))]
    many = max(_AT_LIMIT_FROM * len(series), 20 * float(np.median(counts)))
    # A machine at rest heaps up at its lowest value; that is a state, not an end.
    return [
        np.flatnonzero(series.values == values[end])
        for end in ends
        if counts[end] >= many and (end == -1 or declared) and not (end == 0 and values[0] == 0)
    ]


def _resting(series: Series) -> NDArray[np.bool_]:
    return np.zeros(len(series), np.bool_) if series.resting is None else series.resting
