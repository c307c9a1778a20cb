"""Levels that wander off slowly, or jump to what looks like another unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ingest.quality.fault import Fault
from ingest.quality.series import Series, Values, robust_deviation
from ingest.reading import DAY

_FEWEST_DAYS, _MOST_DAYS = 8, 365
_FEWEST_A_DAY = 5
_DRIFTED = 4.0
_STEADILY = 8.0
_CHUNK = 12
_MOST_CHUNKS = 400
_FEWEST_BESIDE = 100
_BESIDE = 2_000
_NEAR = 30
_SIDE = 8
_FAR = 6.0
_SELDOM, _LASTS = 0.02, 0.8
_CLOSE = 0.03
_ALIKE = 1.6
_EDGE = 0.05
_QUANTILES = np.linspace(0.05, 0.95, 19)
_OFF = 0.25
_KNOWN = 3 * DAY
_TIMES_APART = 3.0

UNITS: Mapping[str, tuple[float, float]] = {
    "10 times": (10, 0), "100 times": (100, 0), "1,000 times": (1000, 0), "60 times": (60, 0), "3,600 times": (3600, 0),
    "3.6 times, as from m/s to km/h": (3.6, 0), "25.4 times, as from inch to mm": (25.4, 0),
    "3.28 times, as from m to ft": (3.28084, 0), "14.5 times, as from bar to psi": (14.50377, 0),
    "6.89 times, as from psi to kPa": (6.894757, 0), "9.81 times, as from kgf to N": (9.80665, 0),
    "4.19 times, as from calories to joules": (4.184, 0), "as from degC to K": (1, 273.15),
    "as from degC to degF": (1.8, 32),
}  # fmt: skip
"""What a change of unit does to numbers: times the first, plus the second."""

CONVERSIONS = tuple(
    each
    for name, (times, plus) in UNITS.items()
    for each in ((name, times, plus), (f"{name}, backwards", 1 / times, -plus / times))
)


def drift(series: Series) -> Fault | None:
    """Find a level that goes one way for days: by four times the usual spread of a day, and steadily.

    Steadily means that the medians of the days lie closer to a curve that never turns back than an eighth
    of what it goes. One signal alone cannot tell a sensor that drifts from a machine that wears out; the
    grade asks the machine's other signals.
    """
    days = _days(series)
    if days is None or series.counts_up:
        return None
    medians, spread = days
    up = 1 if np.median(medians[-3:]) >= np.median(medians[:3]) else -1
    curve = _never_back(medians * up)
    went = float(np.median(curve[-3:]) - np.median(curve[:3]))
    off = float(np.sqrt(np.mean((medians * up - curve) ** 2)))
    if went < _DRIFTED * spread or went < _STEADILY * off or went == 0:
        return None
    going = np.flatnonzero((curve > curve[0] + 0.05 * went) & (curve < curve[-1] - 0.05 * went))
    share = max(1, len(going)) / len(curve)
    detail = (
        f"{up * went:+.3g} over {len(curve)} days, {went / spread:.0f} times the spread of a day"
        if spread
        else (f"{up * went:+.3g} over {len(curve)} days")
    )
    return Fault("drift", share, int(series.times[0]), int(series.times[-1]), detail)


def unit_jump(series: Series) -> Fault | None:
    """Find a jump, once or there and back, after which level and spread are those of another common unit.

    A signal that leaps among levels by itself has no one level before and after. Of such a one all values
    before are compared with all values after the moment that parts them best.
    """
    if len(series) < 2 * _FEWEST_BESIDE or series.counts_up:
        return None
    return _at_once(series) or _as_a_whole(series)


def _at_once(series: Series) -> Fault | None:
    for place in _breaks(series.values):
        if min(place, len(series) - place) < _FEWEST_BESIDE or not _is_known(series, place):
            continue
        jump = _Jump.at(series.values, place)
        for name, times, plus in CONVERSIONS:
            if jump.converts(times, plus):
                return _jumped(series, place, jump.was, jump.now, name)
    return None


def _as_a_whole(series: Series) -> Fault | None:
    values = series.values
    place, apart = _parting(values)
    before, after = values[:place], values[place:]
    # A signal that has levels of its own parts about as well on either side alone.
    if apart == 0 or apart < _TIMES_APART * max(_parting(before)[1], _parting(after)[1]):
        return None
    if not _is_known(series, place):
        return None
    was, now = (np.quantile(each, _QUANTILES) for each in (before, after))
    wide, wide_now = (float(each[-1] - each[0]) for each in (was, now))
    noise, noise_now = _mean_noise(before), _mean_noise(after)
    if not min(wide, noise, wide_now, noise_now) > 0:
        return None
    leap = _sharpest(values, place)
    found = []
    for name, times, plus in CONVERSIONS:
        off = float(np.median(np.abs(now - times * was))) / (times * wide)
        alike = all(1 / _ALIKE <= each <= _ALIKE for each in (wide_now / (times * wide), noise_now / (times * noise)))
        if not plus and alike and off <= _OFF and leap >= abs(np.log(times)) / 2:
            found.append((off, name))
    return _jumped(series, place, float(np.median(before)), float(np.median(after)), min(found)[1]) if found else None


def _is_known(series: Series, place: int) -> bool:
    """Say whether enough came before a place to know the levels that a signal has by itself."""
    return bool(series.times[place] - series.times[0] >= _KNOWN)


def _jumped(series: Series, place: int, was: float, now: float, name: str) -> Fault:
    share = float(np.mean(series.times >= series.times[place]))
    begin, end = int(series.times[place]), int(series.times[-1])
    return Fault("unit_jump", share, begin, end, f"from about {was:.4g} to {now:.4g}: {name}")


def _parting(values: Values) -> tuple[int, float]:
    """Return the place before and after which the sizes of values differ most, and how much.

    How much is the difference of their mean logarithms, less near the ends: times the root of the product of
    the shares that lie before and after. Zero where there are too few values.
    """
    places = np.flatnonzero(values)
    edge = max(_FEWEST_BESIDE, int(_EDGE * len(places)))
    if len(places) <= 2 * edge:
        return 0, 0.0
    sizes = np.log(np.abs(values[places]))
    count, so_far = np.arange(1, len(sizes)), np.cumsum(sizes)
    rest = len(sizes) - count
    apart = np.abs(so_far[:-1] / count - (so_far[-1] - so_far[:-1]) / rest) * np.sqrt(count * rest)
    best = edge - 1 + int(np.argmax(apart[edge - 1 : len(apart) - edge + 1]))
    return int(places[best + 1]), float(apart[best]) / len(sizes)


def _sharpest(values: Values, place: int) -> float:
    """Return the largest leap near a place, as the logarithm of the ratio of the levels after and before."""
    near = values[max(0, place - _BESIDE // 10) : place + _BESIDE // 10]
    if len(near) <= 2 * _CHUNK:
        return 0.0
    levels = np.abs(np.median(sliding_window_view(near, _CHUNK), axis=1))
    before, after = levels[:-_CHUNK], levels[_CHUNK:]
    sound = (before > 0) & (after > 0)
    return float(np.max(np.abs(np.log(after[sound] / before[sound])), initial=0.0))


@dataclass(frozen=True, slots=True)
class _Jump:
    """A break of the level: its values just before and after, the noise there, and how lasting it is.

    Attributes
    ----------
    wide : deviation of the last readings before
    seldom : share of all readings before that lie closer to the new level than to the old one
    stays : share of the next readings that do
    """

    was: float
    now: float
    noise: float
    noise_now: float
    wide: float
    seldom: float
    stays: float

    @classmethod
    def at(cls, values: Values, place: int) -> Self:
        """Look at a break at this place."""
        before, after = values[max(0, place - _BESIDE) : place], values[place : place + _BESIDE]
        was, now = float(np.median(before[-_NEAR:])), float(np.median(after[:_NEAR]))
        nearer = [float(np.mean(np.abs(each - was) > np.abs(each - now))) for each in (values[:place], after)]
        return cls(was, now, _noise(before), _noise(after), robust_deviation(before), *nearer)

    def converts(self, times: float, plus: float) -> bool:
        """Say whether what comes after is what came before in another unit: its level, its noise, for good."""
        expected, step = times * self.was + plus, abs(self.now - self.was)
        unlike = step > _FAR * self.wide if plus else abs(self.was) > self.noise
        room = _CLOSE * abs(times * self.was) + min(3 * self.noise, abs(self.was) / 4) * times
        alike = self.noise > 0 and 1 / _ALIKE <= self.noise_now / (times * self.noise) <= _ALIKE
        close = abs(self.now - expected) <= room
        return unlike and close and alike and self.seldom < _SELDOM and self.stays > _LASTS


def _breaks(values: Values) -> list[int]:
    """Return the places at which level and spread change most: by their ratios, and by the level alone."""
    size = max(_CHUNK, len(values) // _MOST_CHUNKS)
    count = len(values) // size
    chunks = values[: count * size].reshape(count, size)
    medians = np.median(chunks, axis=1)
    spreads = np.median(np.abs(chunks - medians[:, np.newaxis]), axis=1)
    side = min(_SIDE, count // 2)
    levels, widths = (np.median(sliding_window_view(each, side), axis=1) for each in (np.abs(medians), spreads))
    tiny = 1e-9 * (float(np.abs(values).max()) or 1.0)
    ratios = [np.abs(np.log((each[side:] + tiny) / (each[:-side] + tiny))) for each in (levels, widths)]
    by_ratio = int(np.argmax(np.minimum(*ratios))) + side
    by_level = int(np.argmax(np.abs(np.diff(medians)))) + 1
    return [_sharpened(values, place * size, size) for place in dict.fromkeys((by_ratio, by_level))]


def _sharpened(values: Values, place: int, size: int) -> int:
    """Return the place of the largest change of level near a place that is known to a chunk."""
    low, high = max(_CHUNK, place - size), min(len(values) - _CHUNK, place + size)
    if low >= high:
        return place
    around = np.median(sliding_window_view(values[low - _CHUNK : high + _CHUNK], _CHUNK), axis=1)
    return low + int(np.argmax(np.abs(around[_CHUNK:] - around[:-_CHUNK])))


def _noise(values: Values) -> float:
    """Return the usual deviation among a few readings one after the other."""
    return float(1.4826 * np.median(_deviations(values)))


def _mean_noise(values: Values) -> float:
    """Return the geometric mean of the deviations among a few readings, which levels of their own noise hardly move."""
    deviations = _deviations(values)
    moving = deviations[deviations > 0]
    return float(1.4826 * np.exp(np.mean(np.log(moving)))) if len(moving) else 0.0


def _deviations(values: Values) -> Values:
    """Return the median deviation from the median of each few readings one after the other."""
    chunks = values[: len(values) // _NEAR * _NEAR].reshape(-1, _NEAR)
    deviations: Values = np.median(np.abs(chunks - np.median(chunks, axis=1)[:, np.newaxis]), axis=1)
    return deviations


def _days(series: Series) -> tuple[Values, float] | None:
    """Return the median of each day that has readings of a running machine, and the usual spread within a day."""
    awake = np.ones(len(series), np.bool_) if series.resting is None else ~series.resting
    values, day = series.values[awake], (series.times[awake] - series.first) // DAY
    begins = np.flatnonzero(np.concatenate(([True], np.diff(day) > 0))) if len(day) else np.zeros(0, np.int64)
    parts = [each for each in np.split(values, begins[1:]) if len(each) >= _FEWEST_A_DAY]
    if len(parts) < _FEWEST_DAYS:
        return None
    each = max(1, -(-len(parts) // _MOST_DAYS))
    medians = np.array([np.median(part) for part in parts[::each]])
    return medians, float(np.median([robust_deviation(part) for part in parts[::each]]))


def _never_back(values: Values) -> Values:
    """Return the curve that never falls and lies closest to values (least squares; pool adjacent violators)."""
    levels: list[list[float]] = []
    for value in values.tolist():
        levels.append([value, 1.0])
        while len(levels) > 1 and levels[-2][0] > levels[-1][0]:
            last, weight = levels.pop()
            before, held = levels[-1]
            levels[-1] = [(before * held + last * weight) / (held + weight), held + weight]
    return np.repeat([level for level, _ in levels], [int(weight) for _, weight in levels])
