"""The definitions of the features catalogue, transcribed window by window in extended precision."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

Sample = tuple[float, float]
"""Hours before the window end (as a negative number) and value."""

Wide = np.longdouble


def _values(window: Sequence[Sample]) -> list[np.longdouble]:
    return [Wide(value) for _, value in window]


def _mean(values: Sequence[np.longdouble]) -> np.longdouble:
    return sum(values, Wide(0)) / len(values)


def _central(window: Sequence[Sample], power: int) -> np.longdouble:
    values = _values(window)
    middle = _mean(values)
    return _mean([(value - middle) ** power for value in values])


def _root_mean_square(window: Sequence[Sample]) -> float:
    return math.sqrt(_mean([value**2 for value in _values(window)]))


def _fit(window: Sequence[Sample]) -> tuple[np.longdouble, np.longdouble]:
    """Return Σ (t − t̄)² and Σ (t − t̄)(x − m)."""
    times, values = [Wide(time) for time, _ in window], _values(window)
    clock, middle = _mean(times), _mean(values)
    square = sum(((time - clock) ** 2 for time in times), Wide(0))
    cross = sum(((time - clock) * (value - middle) for time, value in zip(times, values, strict=True)), Wide(0))
    return square, cross


def _slope(window: Sequence[Sample]) -> float:
    square, cross = _fit(window)
    return float(cross / square)


def _slope_error(window: Sequence[Sample]) -> float:
    square, cross = _fit(window)
    rest = _central(window, 2) * len(window) - cross**2 / square
    return math.sqrt(max(float(rest), 0.0) / (len(window) - 2) / float(square))


def _quantile(window: Sequence[Sample], share: float) -> float:
    ordered = sorted(value for _, value in window)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _crossing_rate(window: Sequence[Sample], middle: np.longdouble) -> float:
    side, crossings = 0, 0
    for _, value in window:
        here = int(value > middle) - int(value < middle)
        if here and side and here != side:
            crossings += 1
        side = here or side
    return crossings / (len(window) - 1)


def _autocorrelation(window: Sequence[Sample]) -> float:
    middle = _mean(_values(window))
    distance = [value - middle for value in _values(window)]
    return float(sum(a * b for a, b in pairwise(distance)) / sum(d * d for d in distance))


def bins_of(window: Sequence[Sample]) -> list[float]:
    """Return the power of each bin above 0: density of one segment, periodic Hann, one-sided, times bin width."""
    count, middle = len(window), _mean(_values(window))
    hann = [Wide(0.5) - np.cos(2 * Wide(np.pi) * place / count) / 2 for place in range(count)]
    weighted = [(value - middle) * weight for value, weight in zip(_values(window), hann, strict=True)]
    square, powers = sum(weight * weight for weight in hann), []
    for number in range(1, count // 2 + 1):
        turns = [2 * Wide(np.pi) * (number * place % count) / count for place in range(count)]
        real = sum(each * np.cos(turn) for each, turn in zip(weighted, turns, strict=True))
        imaginary = sum(each * np.sin(turn) for each, turn in zip(weighted, turns, strict=True))
        sides = 1 if 2 * number == count else 2
        powers.append(float(sides * (real * real + imaginary * imaginary) / (count * square)))
    return powers


def _dominant_frequency(window: Sequence[Sample]) -> float:
    powers = bins_of(window)
    hours = window[-1][0] - window[0][0]
    return (powers.index(max(powers)) + 1) / (len(window) / (len(window) - 1) * hours * 3600)


def _band_power(window: Sequence[Sample], band: int) -> float:
    count = len(window)
    return sum(
        power
        for number, power in enumerate(bins_of(window), start=1)
        if band * count < 8 * number <= (band + 1) * count
    )


SLOW: dict[str, Callable[[Sequence[Sample]], float]] = {
    "mean": lambda window: float(_mean(_values(window))),
    "standard_deviation": lambda window: float(np.sqrt(_central(window, 2))),
    "minimum": lambda window: min(value for _, value in window),
    "maximum": lambda window: max(value for _, value in window),
    "root_mean_square": _root_mean_square,
    "skewness": lambda window: float(_central(window, 3) / _central(window, 2) ** Wide(1.5)),
    "kurtosis": lambda window: float(_central(window, 4) / _central(window, 2) ** 2 - 3),
    "crest_factor": lambda window: max(abs(value) for _, value in window) / _root_mean_square(window),
    "slope": _slope,
    "slope_error": _slope_error,
    "last": lambda window: window[-1][1],
    "quantile_10": lambda window: _quantile(window, 0.1),
    "median": lambda window: _quantile(window, 0.5),
    "quantile_90": lambda window: _quantile(window, 0.9),
    "mean_crossing_rate": lambda window: _crossing_rate(window, _mean(_values(window))),
    "zero_crossing_rate": lambda window: _crossing_rate(window, Wide(0)),
    "range": lambda window: max(value for _, value in window) - min(value for _, value in window),
    "energy": lambda window: float(sum(value * value for value in _values(window))),
    "autocorrelation": _autocorrelation,
    "dominant_frequency": _dominant_frequency,
    "band_power_1": lambda window: _band_power(window, 0),
    "band_power_2": lambda window: _band_power(window, 1),
    "band_power_3": lambda window: _band_power(window, 2),
    "band_power_4": lambda window: _band_power(window, 3),
}
