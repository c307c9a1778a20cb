"""What a stretch of samples comes to, in a form in which two neighbouring stretches add up.

Windows overlap, so samples are summarised once per pane (the common grid of stride and windows) and
a window is the sum of its panes. Parts are only ever combined, never subtracted from a running
total, and means are kept as a distance from a sample (the anchor): a signal of mean 1e6 and
deviation 1e-3 keeps all its digits, and what has left a window leaves nothing behind. The
combination formulas are those of Chan, Golub and LeVeque (1983) and Pébay (2008).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """Sums of many stretches at once; all arrays have one shape, the last axis is time.

    Attributes
    ----------
    samples : how many samples there are
    anchor : a sample of the stretch, from which ``mean`` is measured
    mean : mean minus anchor, in the signal's unit
    m2, m3, m4 : sums of the second, third and fourth powers of the distances from the mean
    low, high, last : smallest, largest and newest sample
    time : mean time of the samples in hours after the end of the stretch (so never positive)
    tt, tx : sums of squared time distances and of time distance times value distance
    cut : whether a new life of the machine began within the stretch; whatever came before is left out
    """

    samples: Floats
    anchor: Floats
    mean: Floats
    m2: Floats
    m3: Floats
    m4: Floats
    low: Floats
    high: Floats
    last: Floats
    time: Floats
    tt: Floats
    tx: Floats
    cut: NDArray[np.bool_]

    def part(self, which: Any) -> "Moments":
        """Return the stretches that an index of the arrays selects."""
        return Moments(*(field[which] for field in self))

    def copy(self, which: Any) -> "Moments":
        """Return the stretches that an index selects, with arrays of their own."""
        fields: list[Any] = [field[which].copy() for field in self]
        return Moments(*fields)

    def joined(self) -> "Moments":
        """Return views in which the last two axes are one."""
        fields: list[Any] = [field.reshape(*field.shape[:-2], -1) for field in self]
        return Moments(*fields)


def no_samples(shape: tuple[int, ...]) -> Moments:
    """Return stretches without a sample; combining with them changes nothing."""
    empty: dict[str, Any] = {name: np.zeros(shape) for name in Moments._fields}
    empty["low"] = np.full(shape, np.inf)
    empty["high"] = np.full(shape, -np.inf)
    return Moments(**(empty | {"cut": np.zeros(shape, dtype=np.bool_)}))


def combine(older: Moments, newer: Moments, hours: float) -> Moments:
    """Return what two stretches come to together.

    Parameters
    ----------
    older, newer : stretches of equal shape
    hours : from the end of the older to the end of the newer one

    Examples
    --------
    >>> one = no_samples((1,))._replace(samples=np.ones(1), anchor=np.array([5.0]))
    >>> two = one._replace(anchor=np.array([7.0]))
    >>> both = combine(one, two, 1.0)
    >>> (both.anchor + both.mean).item(), both.m2.item()
    (6.0, 2.0)
    """
    if newer.cut.any():
        older = _forget(older, newer.cut)
    samples = older.samples + newer.samples
    newest = None if newer.samples.all() and older.samples.all() else newer.samples > 0
    some = samples if newest is None else np.maximum(samples, 1)
    older_share, newer_share = older.samples / some, newer.samples / some
    both = older.samples * newer_share
    delta = (newer.anchor - older.anchor) + (newer.mean - older.mean)
    older_time = older.time - hours
    later = newer.time - older_time
    if newest is not None:
        # Where one part is empty its anchor means nothing and must not meet the other's digits.
        delta = np.where(both > 0, delta, 0.0)
        older_time = np.where(older.samples > 0, older_time, 0.0)
        later = np.where(both > 0, later, 0.0)
    from_older, from_newer = delta * older_share, delta * newer_share
    older_square, newer_square = from_older * from_older, from_newer * from_newer
    spread, apart = delta * delta * both, later * both
    mean, time = newer.mean - from_older, newer.time - later * older_share
    return Moments(
        samples=samples,
        anchor=newer.anchor if newest is None else np.where(newest, newer.anchor, older.anchor),
        mean=mean if newest is None else np.where(newest, mean, older.mean),
        m2=older.m2 + newer.m2 + spread,
        m3=older.m3
        + newer.m3
        + spread * (from_older - from_newer)
        + 3 * (from_older * newer.m2 - from_newer * older.m2),
        m4=older.m4
        + newer.m4
        + spread * (older_square - from_older * from_newer + newer_square)
        + 6 * (older_square * newer.m2 + newer_square * older.m2)
        + 4 * (from_older * newer.m3 - from_newer * older.m3),
        low=np.minimum(older.low, newer.low),
        high=np.maximum(older.high, newer.high),
        last=newer.last if newest is None else np.where(newest, newer.last, older.last),
        time=time if newest is None else np.where(newest, time, older_time),
        tt=older.tt + newer.tt + later * apart,
        tx=older.tx + newer.tx + delta * apart,
        cut=older.cut | newer.cut,
    )


def over_windows(panes: Moments, lengths: Sequence[int], ends: slice, pane_hours: float) -> list[Moments]:
    """Return the moments of windows of several lengths at the same ends.

    Blocks of 1, 2, 4, … panes are built once; a window adds the blocks of its binary digits, newest
    first, so its value depends on its own panes only and not on where the table begins.

    Parameters
    ----------
    panes : moments of panes, time on the last axis
    lengths : window lengths in panes
    ends : the panes in which windows end, counted from the first pane; each is at least
        ``max(lengths) - 1``
    pane_hours : length of a pane
    """
    first, last, step = ends.indices(panes.samples.shape[-1])
    count = len(range(first, last, step))
    windows: list[Moments | None] = [None] * len(lengths)
    if 2 * count * sum(lengths) < max(lengths).bit_length() * panes.samples.shape[-1]:
        return _over_few_windows(panes, tuple(lengths), range(first, last, step), pane_hours)
    done = [0] * len(lengths)
    block, size = panes, 1
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        while True:
            for which, length in enumerate(lengths):
                if length & size:
                    shift = done[which] + size - 1
                    older = block.part((..., slice(first - shift, last - shift, step)))
                    windows[which] = _before(older, windows[which], done[which] * pane_hours)
                    done[which] += size
            if 2 * size > max(lengths):
                return [each for each in windows if each is not None]
            block = combine(
                block.part((..., slice(None, -size))), block.part((..., slice(size, None))), size * pane_hours
            )
            size *= 2


def _over_few_windows(panes: Moments, lengths: tuple[int, ...], ends: range, pane_hours: float) -> list[Moments]:
    """Do what ``over_windows`` does, building those blocks only that some window is made of."""
    windows: list[Moments | None] = [None] * len(lengths)
    block, size = panes, 1
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for older, newer, of_windows in _blocks(lengths, ends):
            if newer is not None:
                block = combine(block.part((..., older)), block.part((..., newer)), size * pane_hours)
                size *= 2
            for which, place, done in of_windows:
                windows[which] = _before(block.part((..., place)), windows[which], done * pane_hours)
    return [each for each in windows if each is not None]


def _before(older: Moments, newer: Moments | None, hours: float) -> Moments:
    return older if newer is None else combine(older, newer, hours)


@lru_cache(maxsize=64)
def _blocks(lengths: tuple[int, ...], ends: range) -> list[tuple[Any, Any, list[tuple[int, Any, int]]]]:
    """Return which blocks of 1, 2, 4, … panes some windows need.

    Returns
    -------
    for each size: places among the blocks of half the size of the older and the newer halves, ``None`` for
    panes; and for each window that has such a block its number, places of the block, and how many panes
    are newer than it
    """
    count = max(lengths).bit_length()
    parts = [
        [(which, length & ((1 << level) - 1)) for which, length in enumerate(lengths) if length >> level & 1]
        for level in range(count)
    ]
    last = np.array(ends)
    at = [np.arange(max(ends) + 1)] * count
    for level in range(count - 1, 0, -1):
        halves = [at[level + 1], at[level + 1] - (1 << level)] if level + 1 < count else []
        at[level] = np.unique(np.concatenate([*halves, *(last - done for _, done in parts[level])]))
    found: list[tuple[Any, Any, list[tuple[int, Any, int]]]] = []
    for level, (there, own) in enumerate(zip(at, parts, strict=True)):
        older, newer = (
            _spaced(np.searchsorted(at[level - 1], there - each)) if level else None for each in (1 << level >> 1, 0)
        )
        found.append(
            (older, newer, [(which, _spaced(np.searchsorted(there, last - done)), done) for which, done in own])
        )
    return found


def _spaced(places: NDArray[np.int64]) -> Any:
    """Return ascending places as a slice if they are evenly spaced: a view takes no copy."""
    step = int(places[1] - places[0]) if len(places) > 1 else 1
    even = (np.diff(places) == step).all()
    return slice(int(places[0]), int(places[-1]) + 1, step) if even else places


def _forget(older: Moments, cut: NDArray[np.bool_]) -> Moments:
    nothing = no_samples((1,) * cut.ndim)
    return Moments(*(np.where(cut, empty, field) for empty, field in zip(nothing, older, strict=True)))
