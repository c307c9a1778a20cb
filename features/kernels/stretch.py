"""Compiled: the moments of two neighbouring stretches to those of both, to the bits of ``features.moments``."""

from typing import Any

from features.kernels.jit import jit
from features.kernels.lanes import high, load, low, splat, store, where_above

SAMPLES, ANCHOR, MEAN, M2, M3, M4, LOW, HIGH, LAST, TIME, TT, TX = range(12)
FIELDS = 12
"""As in ``features.moments.Moments``."""


@jit
def combine(older: Any, a: int, aw: int, newer: Any, b: int, bw: int, into: Any, c: int, cw: int, hours: float) -> None:
    """Combine eight pairs of neighbouring stretches, as ``features.moments.combine`` does.

    Parameters
    ----------
    older, newer, into : fields ``aw``, ``bw`` and ``cw`` apart, flat
    a, b, c : places of the first of the eight
    """
    none, one = splat(0.0), splat(1.0)
    of_older, of_newer = load(older, SAMPLES * aw + a), load(newer, SAMPLES * bw + b)
    samples = of_older + of_newer
    some = high(samples, one)
    older_share, newer_share = of_older / some, of_newer / some
    both = of_older * newer_share
    older_anchor, newer_anchor = load(older, ANCHOR * aw + a), load(newer, ANCHOR * bw + b)
    older_mean, newer_mean = load(older, MEAN * aw + a), load(newer, MEAN * bw + b)
    newer_time = load(newer, TIME * bw + b)
    older_time = load(older, TIME * aw + a) - splat(hours)
    delta = where_above(both, none, (newer_anchor - older_anchor) + (newer_mean - older_mean), none)
    later = where_above(both, none, newer_time - older_time, none)
    older_time = where_above(of_older, none, older_time, none)
    from_older, from_newer = delta * older_share, delta * newer_share
    older_square, newer_square = from_older * from_older, from_newer * from_newer
    spread, apart = delta * delta * both, later * both
    older_m2, newer_m2 = load(older, M2 * aw + a), load(newer, M2 * bw + b)
    older_m3, newer_m3 = load(older, M3 * aw + a), load(newer, M3 * bw + b)
    m3 = older_m3 + newer_m3 + spread * (from_older - from_newer)
    m3 = m3 + splat(3.0) * (from_older * newer_m2 - from_newer * older_m2)
    m4 = load(older, M4 * aw + a) + load(newer, M4 * bw + b)
    m4 = m4 + spread * (older_square - from_older * from_newer + newer_square)
    m4 = m4 + splat(6.0) * (older_square * newer_m2 + newer_square * older_m2)
    m4 = m4 + splat(4.0) * (from_older * newer_m3 - from_newer * older_m3)
    tt = load(older, TT * aw + a) + load(newer, TT * bw + b) + later * apart
    tx = load(older, TX * aw + a) + load(newer, TX * bw + b) + delta * apart
    smallest = low(load(older, LOW * aw + a), load(newer, LOW * bw + b))
    largest = high(load(older, HIGH * aw + a), load(newer, HIGH * bw + b))
    last = where_above(of_newer, none, load(newer, LAST * bw + b), load(older, LAST * aw + a))
    store(into, SAMPLES * cw + c, samples)
    store(into, ANCHOR * cw + c, where_above(of_newer, none, newer_anchor, older_anchor))
    store(into, MEAN * cw + c, where_above(of_newer, none, newer_mean - from_older, older_mean))
    store(into, M2 * cw + c, older_m2 + newer_m2 + spread)
    store(into, M3 * cw + c, m3)
    store(into, M4 * cw + c, m4)
    store(into, LOW * cw + c, smallest)
    store(into, HIGH * cw + c, largest)
    store(into, LAST * cw + c, last)
    store(into, TIME * cw + c, where_above(of_newer, none, newer_time - later * older_share, older_time))
    store(into, TT * cw + c, tt)
    store(into, TX * cw + c, tx)
