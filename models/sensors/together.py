"""How the signals of a machine go together: how far each of them is from what the others, and its peers, say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import HOUR, Block, Flags, Hours, Values
from models.sensors.foretold import foretold, gaps, nearest
from models.sensors.peers import common
from models.sensors.step import EVERY, lone, step_sizes, usual_change

FEWEST_SIGNALS = 3
"""Of two that disagree nobody knows which one lies."""

_SMOOTHED = 6
_APART_HOURS = 24
_FEWEST_HOURS = 120
_FEWEST_LATELY = 24
_JOINS = 2.0
_LEAST_AWAY = 0.5
_PAYS = 0.8
_MOST_GAIN = 1.5

_STEP_CHANGES = 2.5
_STEP_TIMES = 1.5


@dataclass(frozen=True, slots=True)
class Off:
    """How far signals are from what the others say; arrays of shape (n_signals, n_hours).

    Attributes
    ----------
    by : in the unit of each signal; NaN where nobody knows
    spread : how far they were in the hours alike, in the unit of each signal
    """

    by: Values
    spread: Values

    def less(self, common: Values | None, gain: Values) -> Values:
        """Return the same without a share of what peers are off by, in spreads."""
        by = self.by
        if common is not None and gain.any():
            by = by - np.where(gain[:, np.newaxis] > 0, gain[:, np.newaxis] * common, 0.0)
        return by / self.spread


@dataclass(frozen=True, slots=True)
class Together:
    """How the signals of a machine usually go together.

    Attributes
    ----------
    seen : means of hours at which all signals were read, in noises; shape (n_signals, n_seen)
    noise : typical change of each signal from one hour to the next, infinite for one that stood still; shape
        (n_signals,)
    before, after : how far each signal was from what the others let expect in those hours and in the week after
    gain : how much of what its peers were off by each signal was off by, too; 0 where that says nothing of it
    away : distance of each signal from what the others let expect that nine in ten hours stay below, in spreads
    far : distance of the nearest seen hours that 99 in 100 hours stay below
    lately : how far each signal was from what the others let expect in the middle of the week after, in spreads
    change : change of each signal within half an hour that one in four exceeds, in its unit
    step : size from which on a step of each signal alone is none that was usual, in its unit
    """

    seen: Values
    noise: Values
    before: Off
    after: Off
    gain: Values
    away: Values
    far: float
    lately: Values
    change: Values
    step: Values


class Beside:
    """Each signal beside what the others say at some hours in a row.

    Parameters
    ----------
    means : of each signal over each hour, shape (n_signals, n_hours)
    allowed : which of the seen hours it may be compared with, shape (n_hours, n_seen); all of them if not given
    common : what its peers are off by, of the shape of ``means``; not needed where nothing is gained by it
    """

    def __init__(
        self, usual: Together, means: Values, allowed: Flags | None = None, common: Values | None = None
    ) -> None:
        self.usual, self._allowed, self._common = usual, allowed, common
        self._now = means / usual.noise[:, np.newaxis]
        self._gaps = gaps(self._now, usual.seen)
        self._whole = self._gaps.sum(axis=0)

    @cached_property
    def off(self) -> Off:
        """How far each signal is from what the others say."""
        return Off(*np.stack([self._without(signal) for signal in range(len(self._now))], axis=1))

    @cached_property
    def apart(self) -> Values:
        """The same less what its peers are off by and it was lately, in spreads."""
        return self.off.less(self._common, self.usual.gain) - self.usual.lately[:, np.newaxis]

    @cached_property
    def away(self) -> Values:
        """The same smoothed over six hours, in usual distances; shape (n_signals, n_hours − 5)."""
        return smoothed(self.apart) / self.usual.away[:, np.newaxis]

    def joined(self, signal: int) -> Flags:
        """Say where any other signal leaves what the rest but this one says; shape (n_hours − 5,)."""
        others = [each for each in range(len(self._now)) if each != signal]
        off = Off(*np.stack([self._without(each, signal) for each in others], axis=1))
        common = None if self._common is None else self._common[others]
        apart = off.less(common, self.usual.gain[others]) - self.usual.lately[others, np.newaxis]
        away = smoothed(apart) / self.usual.away[others, np.newaxis]
        return np.asarray((np.abs(away) > _JOINS).any(axis=0))

    def _without(self, signal: int, *left_out: int) -> tuple[Values, Values]:
        """Return how far a signal is from what others say but those that are left out, and how far it usually was."""
        by = [each for each in range(len(self._now)) if each != signal and each not in left_out]
        far, near = nearest(self._whole - self._gaps[[signal, *left_out]].sum(axis=0), self._allowed)
        expected, spread = foretold(signal, by, self._now, self.usual.seen, near)
        unit = self.usual.noise[signal]
        apart = np.where(far <= 2 * self.usual.far, self._now[signal] - expected, np.nan)
        return apart * unit, spread * unit


def hourly(block: Block, hours: Hours) -> Values:
    """Return the mean of each signal over the hour before each of some hours in a row; NaN where it was not read.

    Returns
    -------
    array of shape (n_signals, n_hours)
    """
    edges = np.searchsorted(block.time, np.append(hours[:1] - HOUR, hours), side="right")
    known = ~np.isnan(block.values)
    sums, counts = (_sums(each, edges) for each in (np.where(known, block.values, 0.0), known.astype(np.float64)))
    with np.errstate(invalid="ignore"):
        return np.where(counts > 0, sums / np.maximum(counts, 1.0), np.nan)


def together(block: Block, hours: Hours, after: Hours) -> Together | None:
    """Return how signals went together at some hours; ``None`` for fewer than three signals or five days.

    Parameters
    ----------
    after : hours after those, by which seasons and slow changes are taken out
    """
    means = hourly(block, hours)
    whole = ~np.isnan(means).any(axis=0)
    if len(means) < FEWEST_SIGNALS or whole.sum() < _FEWEST_HOURS:
        return None
    noise = np.nanmedian(np.abs(np.diff(means, axis=1)), axis=1)
    noise = np.where(noise > 0, noise, means[:, whole].std(axis=1))
    noise = np.where(noise > 0, noise, np.inf)
    seen = (means / noise[:, np.newaxis])[:, whole]
    apart = np.abs(hours[:, np.newaxis] - hours[whole]) >= _APART_HOURS * HOUR
    far, _ = nearest(gaps(seen, seen).sum(axis=0), apart[whole])
    readings = block.coarser(EVERY)
    change = usual_change(readings)
    first, stop = np.searchsorted(readings.time, [hours[0] - HOUR, hours[-1]], side="right")
    most = np.abs(lone(step_sizes(readings), change)[:, first:stop]).max(axis=1)
    none = np.zeros(len(seen))
    usual = Together(
        seen,
        noise,
        before=Off(means, means),
        after=Off(means, means),
        gain=none,
        away=none + 1.0,
        far=_quantile(far, 0.99),
        lately=none,
        change=change,
        step=np.maximum(_STEP_CHANGES * change, _STEP_TIMES * most),
    )
    return beside_peers(
        replace(usual, before=Beside(usual, means, apart).off, after=Beside(usual, hourly(block, after)).off), []
    )


def beside_peers(usual: Together, peers: Sequence[Together]) -> Together:
    """Return the same, each signal foretold by what its peers are off by, too, where that is at least a fifth closer.

    Parameters
    ----------
    peers : how the signals of other machines of the class went together in the same hours
    """
    gain, shared = np.zeros(len(usual.away)), None
    away = _away(usual.before.less(None, gain))
    if peers:
        before, shared = common([each.before.by for each in peers]), common([each.after.by for each in peers])
        possible = _gain(usual.before.by, before)
        closer = _away(usual.before.less(before, possible))
        pays = closer < _PAYS * away
        gain, away = np.where(pays, possible, 0.0), np.where(pays, closer, away)
    lately = np.array([_middle(each) for each in usual.after.less(shared, gain)])
    return replace(usual, gain=gain, away=np.maximum(away, _LEAST_AWAY), lately=lately)


def _gain(by: Values, common: Values) -> Values:
    """Return how much of what is common each signal follows, by least squares; 0 where little of both is known."""
    product, square = by * common, np.where(np.isnan(by), np.nan, common**2)
    known = (~np.isnan(product)).sum(axis=1)
    gain = np.nansum(product, axis=1) / np.maximum(np.nansum(square, axis=1), np.finfo(np.float64).tiny)
    return np.where(known >= _FEWEST_HOURS, np.clip(gain, 0.0, _MOST_GAIN), 0.0)


def _away(apart: Values) -> Values:
    return np.array([_quantile(np.abs(each), 0.9) for each in smoothed(apart)])


def smoothed(series: Values) -> Values:
    """Return the median over the last ``_SMOOTHED`` values, shape (n − _SMOOTHED + 1,); NaN where half are missing."""
    spans = np.sort(sliding_window_view(series, _SMOOTHED, axis=-1), axis=-1)
    count = _SMOOTHED - np.isnan(spans).sum(axis=-1)
    low, high = (
        np.take_along_axis(spans, np.clip(at, 0, _SMOOTHED - 1)[..., np.newaxis], -1)[..., 0]
        for at in ((count - 1) // 2, count // 2)
    )
    return np.where(2 * count < _SMOOTHED, np.nan, (low + np.where(2 * count < _SMOOTHED, low, high)) / 2)


def _middle(series: Values) -> float:
    known = series[np.isfinite(series)]
    return float(np.median(known)) if len(known) >= _FEWEST_LATELY else 0.0


def _sums(values: Values, edges: NDArray[np.intp]) -> Values:
    """Return the sums between edges, each the same whatever lies before it; shape (n_signals, n_edges − 1)."""
    padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    return np.where(np.diff(edges) > 0, np.add.reduceat(padded, edges, axis=1)[:, :-1], 0.0)


def _quantile(values: Values, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else np.inf
