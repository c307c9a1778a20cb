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

LOOKED_BACK = 28
"""How many hours before an hour are looked back at: 24 of distances, each smoothed over six."""

ALONE, TOGETHER = 1, -1
"""A signal that departs alone, and one that departs together with others."""

FEWEST_SIGNALS = 3
"""Of two that disagree nobody knows which one lies."""

_SMOOTHED = 6
_MOST, _OF = 20, 24
_NEIGHBOURS = 12
_FARTHEST = 9.0
_APART_HOURS = 24
_FEWEST_HOURS = 120
_FEWEST_LATELY = 24
_DEPARTS = 3.0
_STAYS = 2.0
_JOINS = 2.0
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
    if len(means) < FEWEST_SIGNALS or (~np.isnan(means)).all(axis=0).sum() < _FEWEST_HOURS:
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
        A signal departs where it did to one side in 20 of the last 24 hours, by three of its usual distances, and
        still does by two; it is alone where no other did in those hours.
    """
    found = np.zeros((len(means), means.shape[1] - LOOKED_BACK), np.int8)
    if usual is None or not found.size:
        return found
    now = means / usual.noise[:, np.newaxis]
    gaps = _gaps(now, usual.seen)
    whole = gaps.sum(axis=0)
    for signal in range(len(now)):
        without = whole - gaps[signal]
        away = _away(usual, now, without, signal)
        # What others do is only asked of the few signals that stay away for long.
        if not _lasts(np.abs(away) > _STAYS, away).any():
            continue
        joined = np.zeros(len(away), np.bool_)
        for other in range(len(now)):
            if other != signal:
                joined |= np.abs(_away(usual, now, without - gaps[other], other)) > _JOINS
        stays = np.abs(away) > _STAYS
        alone = _lasts((np.abs(away) > _DEPARTS) & ~joined, away)
        together = _lasts(stays, away) & joined[_OF - 1 :]
        found[signal] = np.where(~stays[_OF - 1 :], 0, np.where(together, TOGETHER, np.where(alone, ALONE, 0)))
    return found


def _lasts(flags: Flags, away: Values) -> Flags:
    """Say where flags held to the side that a signal is at now in most of the hours, shape (n − _OF + 1,)."""
    up, down = (sliding_window_view(flags & side, _OF).sum(axis=1) >= _MOST for side in (away > 0, away < 0))
    return np.where(away[_OF - 1 :] > 0, up, down)


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
    return smoothed(_apart(usual, now, distance, signal)) / max(usual.away[signal], _LEAST_AWAY)


def _gaps(now: Values, seen: Values) -> Values:
    """Return how far each hour is from each seen one, by signal: squared, at most three noises' worth.

    So that one broken signal is as far from all of them. Shape (n_signals, n_hours, n_seen).
    """
    gaps = now.astype(np.float32)[:, :, np.newaxis] - seen.astype(np.float32)[:, np.newaxis]
    np.multiply(gaps, gaps, out=gaps)
    # Also where one of them is not known.
    return np.fmin(gaps, _FARTHEST, out=gaps)


def _expected(seen: Values, distance: Values, allowed: Flags | None) -> tuple[Values, Values]:
    """Return the mean of a signal over the nearest seen hours, and how far the farthest of them is."""
    usable = distance if allowed is None else np.where(allowed, distance, np.float32(np.inf))
    unknown = np.isnan(seen)
    if unknown.any():
        usable = np.where(unknown, np.float32(np.inf), usable)
    far = np.partition(usable, _NEIGHBOURS - 1, axis=1)[:, _NEIGHBOURS - 1].astype(np.float64)
    near = usable <= far[:, np.newaxis]
    mean = np.where(near, np.nan_to_num(seen), 0.0).sum(axis=1) / near.sum(axis=1)
    return np.where(np.isfinite(far), mean, np.nan), far


def _sums(values: Values, edges: NDArray[np.intp]) -> Values:
    """Return the sums between edges, each the same whatever lies before it; shape (n_signals, n_edges − 1)."""
    padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    return np.where(np.diff(edges) > 0, np.add.reduceat(padded, edges, axis=1)[:, :-1], 0.0)


def _quantile(values: Values, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else np.inf
