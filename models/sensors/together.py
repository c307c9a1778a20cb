"""What each signal should say, given what the others say: hours of the fortnight before at which they said the same.

A signal that leaves this alone, while the others still agree among themselves, is a sensor that drifts or is off by a
constant; several that leave it together are the machine.

References
----------
Hines, Garvey: Development and application of fault detectability performance metrics for instrument calibration
verification and anomaly detection, J. Pattern Recognition Research 1, 2006 (auto-associative kernel regression).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.sensors.block import HOUR, Block, Flags, Hours, Values

LOOKED_BACK = 16
"""How many hours before an hour are looked back at: twelve of distances, each smoothed over six."""

ALONE, TOGETHER = 1, -1
"""A signal that departs alone, and one that departs together with others."""

_SMOOTHED = 6
_MOST, _OF = 9, 12
_NEIGHBOURS = 12
_FARTHEST = 9.0
_APART_HOURS = 24
_FEWEST_HOURS = 120
_FEWEST_LATELY = 24
_DEPARTS = 2.5
_JOINS = 2.0
_FEWEST_SIGNALS = 3
_LEAST_AWAY = 0.5


@dataclass(frozen=True, slots=True)
class Together:
    """How the signals of a machine usually go together.

    Attributes
    ----------
    seen : means of hours, in noises; shape (n_signals, n_seen)
    noise : typical change of each signal from one hour to the next, infinite for one that stood still; shape
        (n_signals,)
    away : distance of each signal from what the others let expect that nine in ten hours stay below, in noises
    far : distance of the nearest seen hours that 99 in 100 hours stay below
    lately : how far each signal was from what the others let expect in the middle of the week after, in noises
    """

    seen: Values
    noise: Values
    away: Values
    far: float
    lately: Values


def hourly(block: Block, hours: Hours) -> Values:
    """Return the mean of each signal over the hour before each of some hours; NaN where it was not read.

    Returns
    -------
    array of shape (n_signals, n_hours)
    """
    begins, ends = (np.searchsorted(block.time, each, side="right") for each in (hours - HOUR, hours))
    known = ~np.isnan(block.values)
    sums = _running_sum(np.where(known, block.values, 0.0))
    counts = _running_sum(known.astype(np.float64))
    count = counts[:, ends] - counts[:, begins]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, (sums[:, ends] - sums[:, begins]) / count, np.nan)


def together(block: Block, hours: Hours, after: Hours) -> Together | None:
    """Return how signals went together at some hours; ``None`` for fewer than three signals or five days.

    Parameters
    ----------
    after : hours after those, by which seasons and slow changes are taken out
    """
    means = hourly(block, hours)
    if len(means) < _FEWEST_SIGNALS or (~np.isnan(means)).all(axis=0).sum() < _FEWEST_HOURS:
        return None
    with np.errstate(invalid="ignore"):
        noise = np.nanmedian(np.abs(np.diff(means, axis=1)), axis=1)
        spread = np.nanstd(means, axis=1)
    noise = np.where(noise > 0, noise, spread)
    noise = np.where(noise > 0, noise, np.inf)
    seen = means / noise[:, np.newaxis]
    apart = np.abs(np.arange(len(hours))[:, np.newaxis] - np.arange(len(hours))) >= _APART_HOURS
    gaps = _gaps(seen, seen)
    whole = gaps.sum(axis=0)
    away = np.empty(len(seen))
    for signal in range(len(seen)):
        expected, _ = _expected(seen[signal], whole - gaps[signal], apart)
        away[signal] = _quantile(np.abs(smoothed(seen[signal] - expected)), 0.9)
    _, distance = _expected(seen[0], whole, apart)
    usual = Together(seen, noise, away, _quantile(distance, 0.99), np.zeros(len(seen)))
    return replace(usual, lately=_lately(usual, hourly(block, after)))


def departures(usual: Together | None, means: Values) -> NDArray[np.int8]:
    """Return which signals depart from what the others say: 1 alone, −1 together with others, 0 not.

    Parameters
    ----------
    means : means of hours one after the other, shape (n_signals, n_hours); the first ``LOOKED_BACK`` are only
        looked back at

    Returns
    -------
    array of shape (n_signals, n_hours − LOOKED_BACK)
        A signal is alone where it was so in nine of the last twelve hours.
    """
    found = np.zeros((len(means), means.shape[1] - LOOKED_BACK), np.int8)
    if usual is None or not found.size:
        return found
    now = means / usual.noise[:, np.newaxis]
    gaps = _gaps(now, usual.seen)
    whole = gaps.sum(axis=0)
    away = np.stack([_away(usual, now, whole - gaps[each], each) for each in range(len(now))])
    departs = away > _DEPARTS
    for signal in np.flatnonzero(departs.any(axis=1)):
        without = whole - gaps[signal]
        joined = np.zeros(departs.shape[1], np.bool_)
        for other in range(len(now)):
            if other != signal:
                joined |= _away(usual, now, without - gaps[other], other) > _JOINS
        alone = departs[signal] & ~joined
        lasts = sliding_window_view(alone, _OF).sum(axis=1) >= _MOST
        now_alone, now_joined = alone[_OF - 1 :], (departs[signal] & joined)[_OF - 1 :]
        found[signal] = np.where(now_joined, TOGETHER, np.where(now_alone & lasts, ALONE, 0))
    return found


def smoothed(series: Values) -> Values:
    """Return the median over the last ``_SMOOTHED`` values, shape (n − _SMOOTHED + 1,); NaN where half are missing."""
    spans = np.sort(sliding_window_view(series, _SMOOTHED, axis=-1), axis=-1)
    count = _SMOOTHED - np.isnan(spans).sum(axis=-1)
    low, high = (
        np.take_along_axis(spans, np.clip(at, 0, _SMOOTHED - 1)[..., np.newaxis], -1)[..., 0]
        for at in ((count - 1) // 2, count // 2)
    )
    return np.where(2 * count < _SMOOTHED, np.nan, (low + np.where(2 * count < _SMOOTHED, low, high)) / 2)


def _lately(usual: Together, means: Values) -> Values:
    now = means / usual.noise[:, np.newaxis]
    gaps = _gaps(now, usual.seen)
    whole = gaps.sum(axis=0)
    lately = np.zeros(len(now))
    for signal in range(len(now)):
        apart = _apart(usual, now, whole - gaps[signal], signal)
        known = apart[np.isfinite(apart)]
        lately[signal] = np.median(known) if len(known) >= _FEWEST_LATELY else 0.0
    return lately


def _apart(usual: Together, now: Values, distance: Values, signal: int) -> Values:
    expected, nearest = _expected(usual.seen[signal], distance, None)
    return np.where(nearest <= 2 * usual.far, now[signal] - expected - usual.lately[signal], np.nan)


def _away(usual: Together, now: Values, distance: Values, signal: int) -> Values:
    """Return how far a signal is from what the rest says, in its usual distances; NaN where nobody knows."""
    return np.abs(smoothed(_apart(usual, now, distance, signal))) / max(usual.away[signal], _LEAST_AWAY)


def _gaps(now: Values, seen: Values) -> Values:
    """Return how far each hour is from each seen one, by signal: squared, at most three noises' worth.

    So that one broken signal is as far from all of them. Shape (n_signals, n_hours, n_seen).
    """
    gaps = np.minimum((now[:, :, np.newaxis] - seen[:, np.newaxis]) ** 2, _FARTHEST)
    return np.where(np.isnan(gaps), _FARTHEST, gaps)


def _expected(seen: Values, distance: Values, allowed: Flags | None) -> tuple[Values, Values]:
    """Return the mean of a signal over the nearest seen hours, and how far the farthest of them is."""
    usable = np.where(np.isnan(seen), np.inf, distance)
    if allowed is not None:
        usable = np.where(allowed, usable, np.inf)
    nearest = np.argpartition(usable, _NEIGHBOURS - 1, axis=1)[:, :_NEIGHBOURS]
    far = np.take_along_axis(usable, nearest, axis=1).max(axis=1)
    return np.where(np.isfinite(far), seen[nearest].mean(axis=1), np.nan), far


def _running_sum(values: Values) -> Values:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _quantile(values: Values, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else np.inf
