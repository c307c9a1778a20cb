"""The definitions of the features catalogue, transcribed window by window in extended precision."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import accumulate, groupby, pairwise

import numpy as np

from features.limits import Limits

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


def _sizes(window: Sequence[Sample]) -> list[np.longdouble]:
    return [abs(value) for value in _values(window)]


def _impulse_factor(window: Sequence[Sample]) -> float:
    if not any(value for _, value in window):
        return math.nan
    return float(max(_sizes(window)) / _mean(_sizes(window)))


def _shape_factor(window: Sequence[Sample]) -> float:
    if not any(value for _, value in window):
        return math.nan
    return float(_root_mean_square(window) / _mean(_sizes(window)))


def _clearance_factor(window: Sequence[Sample]) -> float:
    if not any(value for _, value in window):
        return math.nan
    return float(max(_sizes(window)) / _mean([np.sqrt(size) for size in _sizes(window)]) ** 2)


def _median_absolute_deviation(window: Sequence[Sample]) -> float:
    middle = _exact_quantile([value for _, value in window], Fraction(1, 2))
    return float(_exact_quantile([abs(Fraction(value) - middle) for _, value in window], Fraction(1, 2)))


def _exact_quantile(values: Sequence[float | Fraction], share: Fraction) -> Fraction:
    ordered = sorted(Fraction(value) for value in values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _interquartile_range(window: Sequence[Sample]) -> float:
    values = [value for _, value in window]
    return float(_exact_quantile(values, Fraction(3, 4)) - _exact_quantile(values, Fraction(1, 4)))


def _entropy_of(counts: Sequence[int]) -> float:
    return math.fsum(-count / sum(counts) * math.log(count / sum(counts)) for count in counts) + 0.0


def _entropy(window: Sequence[Sample]) -> float:
    values = [Fraction(value) for _, value in window]
    low, width = min(values), max(values) - min(values)
    bins = [min(math.floor((value - low) * 10 / width + Fraction(1, 10**9)), 9) if width else 0 for value in values]
    return _entropy_of(list(Counter(bins).values()))


def _permutation_entropy(window: Sequence[Sample]) -> float:
    values = [value for _, value in window]
    # Python's sort keeps the order of equals, so that the earlier one comes first.
    orders = [tuple(sorted(range(3), key=values[start : start + 3].__getitem__)) for start in range(len(values) - 2)]
    return _entropy_of(list(Counter(orders).values())) / math.log(6)


def _steps(window: Sequence[Sample]) -> list[np.longdouble]:
    return [abs(after - before) for before, after in pairwise(_values(window))]


def _steepest_change(window: Sequence[Sample]) -> float:
    spans = [Wide(after) - Wide(before) for (before, _), (after, _) in pairwise(window)]
    return float(max(step / span for step, span in zip(_steps(window), spans, strict=True)))


def _longest_run_above_mean(window: Sequence[Sample]) -> float:
    values = [Fraction(value) for _, value in window]
    middle = sum(values) / len(values)
    near = (max(values) - min(values)) / 10**13
    runs = (len(list(run)) for above, run in groupby(value - middle > near for value in values) if above)
    return max(runs, default=0) / len(values)


def _peaks(window: Sequence[Sample]) -> float:
    levels = [value for value, _ in groupby(value for _, value in window)]
    return float(
        sum(before < here > after for before, here, after in zip(levels, levels[1:], levels[2:], strict=False))
    )


def _curvature(window: Sequence[Sample]) -> float:
    """Solve the normal equations of a parabola exactly."""
    times = [Fraction(time) for time, _ in window]
    values = [Fraction(value) for _, value in window]
    power = [sum(time**exponent for time in times) for exponent in range(5)]
    right = [sum(value * time**exponent for time, value in zip(times, values, strict=True)) for exponent in range(3)]
    left = [[power[row + column] for column in range(3)] for row in range(3)]
    whole = _determinant(left)
    return float(_determinant([[*row[:2], each] for row, each in zip(left, right, strict=True)]) / whole)


def _determinant(rows: Sequence[Sequence[Fraction | int]]) -> Fraction:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return Fraction(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def _split(window: Sequence[Sample]) -> tuple[int, Fraction]:
    """Return after how many samples the level shifts, and the sum of distances up to there."""
    values = [Fraction(value) for _, value in window]
    middle = sum(values) / len(values)
    sums = list(accumulate(value - middle for value in values))[:-1]
    best = max(range(len(sums)), key=lambda place: (abs(sums[place]), -place))
    return best + 1, Fraction(sums[best])


def _change_size(window: Sequence[Sample]) -> float:
    values = [Fraction(value) for _, value in window]
    count, _ = _split(window)
    return float(sum(values[count:]) / (len(values) - count) - sum(values[:count]) / count)


def _change_statistic(window: Sequence[Sample]) -> float:
    values = [Fraction(value) for _, value in window]
    middle = sum(values) / len(values)
    square = sum((value - middle) ** 2 for value in values)
    return math.sqrt(_split(window)[1] ** 2 / square) if square else math.nan


def _change_age(window: Sequence[Sample]) -> float:
    count, distance = _split(window)
    return -window[count][0] if distance else math.nan


def _share(window: Sequence[Sample], longest: float, beyond: Callable[[float], bool]) -> float:
    """Return the share of the time for which samples stand, in hours at most ``longest``, that lies beyond."""
    until = [*(time for time, _ in window[1:]), 0.0]
    stands = [min(end - time, longest) for (time, _), end in zip(window, until, strict=True)]
    over = (span for (_, value), span in zip(window, stands, strict=True) if beyond(value))
    return math.fsum(over) / math.fsum(stands) if math.fsum(stands) else math.nan


def _tenth(number: int, window: Sequence[Sample], *, deviation: bool = False) -> float:
    own = [each for place, each in enumerate(window) if 10 * place // len(window) == number - 1]
    if not own:
        return math.nan
    return math.sqrt(_central(own, 2)) if deviation else float(_mean(_values(own)))


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
    "interquartile_range": _interquartile_range,
    "median_absolute_deviation": _median_absolute_deviation,
    "impulse_factor": _impulse_factor,
    "shape_factor": _shape_factor,
    "clearance_factor": _clearance_factor,
    "entropy": _entropy,
    "permutation_entropy": _permutation_entropy,
    "mean_absolute_change": lambda window: float(_mean(_steps(window))),
    "sum_of_absolute_changes": lambda window: float(sum(_steps(window), Wide(0))),
    "steepest_change": _steepest_change,
    "longest_run_above_mean": _longest_run_above_mean,
    "peaks": _peaks,
    "curvature": _curvature,
    "change_size": _change_size,
    "change_statistic": _change_statistic,
    "change_significant": lambda window: float(_change_statistic(window) > 1.3581),
    "change_age": _change_age,
    **{f"tenth_{number}": partial(_tenth, number) for number in range(1, 11)},
    **{f"tenth_{number}_deviation": partial(_tenth, number, deviation=True) for number in range(1, 11)},
}

SLOW_AGAINST_LIMITS: dict[str, Callable[[Sequence[Sample], Limits, float], float]] = {
    "share_above_limit": lambda window, limits, longest: _share(window, longest, lambda value: value > limits.high),
    "share_below_limit": lambda window, limits, longest: _share(window, longest, lambda value: value < limits.low),
}
