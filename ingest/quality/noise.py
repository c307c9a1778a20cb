"""Readings that jump alone, and stretches of noise."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ingest.quality.fault import Fault
from ingest.quality.series import Series, Values, robust_deviation

_FEWEST = 50
_BESIDE = 3
_SPIKE_SHARE, _SPIKE_COUNT = 5e-4, 3
_WINDOW, _FEWEST_WINDOWS = 30, 20
_NOISIER = 4.0


def spike(series: Series) -> Fault | None:
    """Find readings far from the three before and from the three after, one in two thousand or more.

    Far is seven standard deviations of the usual distance from their medians, and farther where the
    distances have heavy tails of their own, as those of a vibration have. A jump of the whole machine
    is none.
    """
    if len(series) < _FEWEST or series.counts_up:
        return None
    distance = _distance_beside(series.values)
    distance[_eventful(series)] = 0
    far = np.flatnonzero(distance > _far(distance, series))
    # Several in a row are a level, not a spike.
    alone = (
        far[np.concatenate(([True], np.diff(far) > 1)) & np.concatenate((np.diff(far) > 1, [True]))]
        if len(far)
        else far
    )
    if len(alone) < max(_SPIKE_COUNT, _SPIKE_SHARE * len(series)):
        return None
    share = len(alone) / len(series)
    return Fault(
        "spike", share, int(series.times[alone[0]]), int(series.times[alone[-1]]),
        f"{len(alone):,} readings ({share:.2%}), the largest {series.values[alone[np.argmax(distance[alone])]]:.4g}",
    )  # fmt: skip


def erratic(series: Series) -> Fault | None:
    """Find stretches in which readings change four times as much from one to the next as they usually do.

    Judged in windows of thirty readings against the noisiest fifth of them; a window whose level is not
    one of the others' is another way of running, not noise.
    """
    count = len(series) // _WINDOW
    if count < _FEWEST_WINDOWS or series.counts_up:
        return None
    shape = count, _WINDOW
    values = series.values[: count * _WINDOW].reshape(shape)
    noise = np.quantile(np.abs(np.diff(values, axis=1)), 0.75, axis=1)
    usual = float(np.quantile(noise, 0.8))
    noisy = np.flatnonzero(noise > _NOISIER * usual)
    if usual == 0:
        return None
    found = np.zeros(count, np.bool_)
    found[noisy] = noise[noisy] > _NOISIER * _usual_there(np.median(values, axis=1), noise, noisy)
    found &= ~_eventful(series)[: count * _WINDOW].reshape(shape).any(axis=1)
    # One window may be chance; a fault lasts.
    lasting = found & (np.concatenate((found[1:], [False])) | np.concatenate(([False], found[:-1])))
    if lasting.sum() < 2:
        return None
    places = np.flatnonzero(lasting)
    share = len(places) / count
    times = float(np.median(noise[places]) / usual)
    begin, end = int(series.times[places[0] * _WINDOW]), int(series.times[(places[-1] + 1) * _WINDOW - 1])
    return Fault("erratic", share, begin, end, f"{times:.0f} times as noisy as usual in {share:.1%} of the time")


def _distance_beside(values: Values) -> Values:
    """Return how far each value is from the median of those before or of those after, whichever is nearer."""
    padded = np.pad(values, _BESIDE, mode="reflect")
    medians = np.median(sliding_window_view(padded, _BESIDE), axis=1)
    before, after = medians[: len(values)], medians[_BESIDE + 1 :]
    nearer: Values = np.minimum(np.abs(values - before), np.abs(values - after))
    return nearer


def _usual_there(level: Values, noise: Values, asked: NDArray[np.intp]) -> Values:
    """Return the median noise of the windows at the level of each asked one; infinite where they are few."""
    order = np.argsort(level)
    sorted_level, sorted_noise = level[order], noise[order]
    low = np.searchsorted(sorted_level, level[asked] - noise[asked], "left")
    high = np.searchsorted(sorted_level, level[asked] + noise[asked], "right")
    few = max(10, len(level) // 50)
    return np.array(
        [
            np.median(sorted_noise[begin:end]) if end - begin >= few else np.inf
            for begin, end in zip(low, high, strict=True)
        ]
    )


def _far(distance: Values, series: Series) -> float:
    finest = np.abs(series.changes[series.changes != 0])
    usual = max(robust_deviation(np.concatenate((distance, -distance))), float(finest.min()) if len(finest) else 0.0)
    tail = float(np.quantile(distance, 0.95))
    heavier = max(1.0, tail / (1.96 * usual)) if usual else 1.0
    return max(7 * usual, 2.5 * tail * heavier**3)


def _eventful(series: Series) -> NDArray[np.bool_]:
    return np.zeros(len(series), np.bool_) if series.eventful is None else series.eventful
