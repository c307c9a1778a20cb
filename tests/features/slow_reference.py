"""The definitions of the features catalogue, transcribed window by window in extended precision."""

import math
from collections.abc import Callable, Sequence

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


def _mean_crossing_rate(window: Sequence[Sample]) -> float:
    middle = _mean(_values(window))
    side, crossings = 0, 0
    for _, value in window:
        here = int(value > middle) - int(value < middle)
        if here and side and here != side:
            crossings += 1
        side = here or side
    return crossings / (len(window) - 1)


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
    "mean_crossing_rate": _mean_crossing_rate,
}
