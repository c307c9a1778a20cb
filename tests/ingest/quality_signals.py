"""Signals of honest sensors, of many kinds, and what faults make of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ingest.quality.series import Series, Values

MINUTE = 60_000_000
DAY = 1440 * MINUTE
DAYS = 30

Chance = np.random.Generator


def series_of(values: Values, every: int = MINUTE, **more: object) -> Series:
    """Values, one each ``every`` microseconds."""
    times = np.arange(len(values), dtype=np.int64) * every
    return Series(times, values, 0, int(times[-1]), every=every, **more)  # type: ignore[arg-type]


def correlated(chance: Chance, count: int, hours: float, every: int = MINUTE) -> Values:
    """Noise of deviation one that forgets within this many hours."""
    from scipy.signal import lfilter

    keep = float(np.exp(-every / (hours * 60 * MINUTE)))
    noise: Values = lfilter(
        [np.sqrt(1 - keep**2)], [1, -keep], chance.standard_normal(count), zi=[chance.normal() * keep]
    )[0]
    return noise


def clock(count: int, every: int = MINUTE) -> Values:
    """Days since the begin."""
    return np.arange(count) * every / DAY


def white(chance: Chance) -> Series:
    return series_of(50 + chance.standard_normal(DAYS * 1440) * chance.uniform(0.1, 10))


def rounded(chance: Chance) -> Series:
    return series_of(np.round(50 + chance.standard_normal(DAYS * 1440), int(chance.integers(0, 3))))


def daily(chance: Chance) -> Series:
    count = DAYS * 1440
    return series_of(20 + 5 * np.sin(2 * np.pi * clock(count)) + chance.standard_normal(count) * 0.3)


def slow(chance: Chance) -> Series:
    count = DAYS * 1440
    return series_of(np.round(70 + 3 * correlated(chance, count, 12) + 0.2 * chance.standard_normal(count), 1))


def very_slow(chance: Chance) -> Series:
    count = DAYS * 1440
    return series_of(5 + correlated(chance, count, 120) * 0.6 + 1.0 * correlated(chance, count, 1))


def coarse(chance: Chance) -> Series:
    count = DAYS * 1440
    return series_of(np.round((40 + 4 * correlated(chance, count, 8)) * 2) / 2)


def heavy(chance: Chance) -> Series:
    return series_of(2 + 0.3 * np.abs(chance.standard_t(4, DAYS * 1440)))


def lognormal(chance: Chance) -> Series:
    return series_of(np.exp(0.5 * chance.standard_normal(DAYS * 1440)))


def on_off(chance: Chance) -> Series:
    count = DAYS * 1440
    hours = clock(count) * 24 % 24
    running = (hours > 6) & (hours < 22) & (np.floor(clock(count)) % 7 < 5)
    return series_of(np.where(running, 100 + chance.standard_normal(count) * 2, 0.0))


def set_points(chance: Chance) -> Series:
    count = DAYS * 1440
    levels = np.repeat(chance.choice([800.0, 1000.0, 1200.0, 1500.0], count // 240 + 1), 240)[:count]
    return series_of(levels + np.round(chance.standard_normal(count) * 3, 1))


def load(chance: Chance) -> Series:
    count = DAYS * 1440
    busy = np.repeat(chance.random(count // 120 + 1) < 0.4, 120)[:count]
    return series_of(np.where(busy, 40 + 2 * chance.standard_normal(count), 12 + 0.5 * chance.standard_normal(count)))


def products(chance: Chance) -> Series:
    count = DAYS * 1440
    levels = np.repeat(np.exp(chance.uniform(0, 4, count // 720 + 1)), 720)[:count]
    return series_of(levels * (1 + 0.03 * chance.standard_normal(count)))


def counter(chance: Chance) -> Series:
    return series_of(np.cumsum(chance.poisson(2, DAYS * 1440)).astype(float))


def half_hourly(chance: Chance) -> Series:
    count = DAYS * 48
    return series_of(
        60 + correlated(chance, count, 6, 30 * MINUTE) * 2 + 0.5 * chance.standard_normal(count), 30 * MINUTE
    )


def irregular(chance: Chance) -> Series:
    times = np.cumsum(chance.exponential(5 * MINUTE, DAYS * 288)).astype(np.int64)
    return Series(times, 10 + chance.standard_normal(len(times)), int(times[0]), int(times[-1]))


CLEAN: Mapping[str, Callable[[Chance], Series]] = {
    each.__name__: each
    for each in (
        white, rounded, daily, slow, very_slow, coarse, heavy, lognormal, on_off, set_points, load, products, counter,
        half_hourly, irregular,
    )
}  # fmt: skip
"""Honest sensors, by name."""

NOISY = tuple(each for each in CLEAN if each not in ("counter", "irregular", "on_off", "products"))
"""Those in which each kind of fault can be told."""


def _stretch(chance: Chance, series: Series, hours: float) -> slice:
    length = int(hours * 60 * MINUTE / series.interval)
    begin = int(chance.integers(len(series) // 4, len(series) // 2))
    return slice(begin, begin + length)


def _deviation(series: Series) -> float:
    return float(np.std(series.values))


def _with(series: Series, values: Values) -> Series:
    return replace(series, values=values)


def _lose(series: Series, lost: np.ndarray, **more: int) -> Series:
    keep = ~lost
    return replace(series, times=series.times[keep], values=series.values[keep], **more)  # type: ignore[arg-type]


def missing(chance: Chance, series: Series) -> Series:
    return _lose(series, chance.random(len(series)) < 0.1)


def gap(chance: Chance, series: Series) -> Series:
    lost = np.zeros(len(series), np.bool_)
    lost[_stretch(chance, series, 36)] = True
    return _lose(series, lost)


def duplicate_stamp(chance: Chance, series: Series) -> Series:
    return replace(series, replaced=int(chance.uniform(0.005, 0.05) * len(series)))


def invalid(chance: Chance, series: Series) -> Series:
    lost = chance.random(len(series)) < 0.03
    return _lose(series, lost, rejected=int(lost.sum()))


def flat(chance: Chance, series: Series) -> Series:
    values, stretch = series.values.copy(), _stretch(chance, series, 48)
    values[stretch] = values[stretch.start]
    return _with(series, values)


def spike(chance: Chance, series: Series) -> Series:
    values = series.values.copy()
    hit = chance.choice(len(values), max(5, len(values) // 300), replace=False)
    width = float(np.quantile(np.abs(values - np.median(values)), 0.99))
    values[hit] += chance.choice([-1, 1], len(hit)) * chance.uniform(8, 15, len(hit)) * width
    return _with(series, values)


def stuck_at_limit(chance: Chance, series: Series) -> Series:
    high = float(series.values.max())
    values, stretch = series.values.copy(), _stretch(chance, series, 48)
    values[stretch] = high
    return replace(series, values=values, low=float(values.min()) - 1, high=high)


def erratic(chance: Chance, series: Series) -> Series:
    values, stretch = series.values.copy(), _stretch(chance, series, 48)
    changes = float(np.quantile(np.abs(np.diff(values)), 0.9)) or _deviation(series)
    values[stretch] += chance.standard_normal(stretch.stop - stretch.start) * 8 * changes
    return _with(series, values)


def drift(chance: Chance, series: Series) -> Series:
    ramp = np.clip((clock(len(series), series.interval) - 10) / 18, 0, 1)
    values = series.values + chance.choice([-1, 1]) * 8 * _deviation(series) * ramp
    finest = next((each for each in (1, 0.5, 0.1, 0.01) if not (series.values / each % 1).any()), None)
    return _with(series, values if finest is None else np.round(values / finest) * finest)


def out_of_domain(chance: Chance, series: Series) -> Series:
    low, high = np.quantile(series.values, [0.02, 0.99])
    within = (series.values >= low) & (series.values <= high)
    return _lose(replace(series, low=float(low), high=float(high)), ~within, outside=int((~within).sum()))


def unit_jump(chance: Chance, series: Series) -> Series:
    factor = float(chance.choice([1000, 10, 0.1, 25.4, 14.50377, 3.6]))
    values, place = series.values.copy(), int(chance.integers(len(series) // 3, 2 * len(series) // 3))
    values[place:] *= factor
    return _with(series, values)


def clock_skew(chance: Chance, series: Series) -> Series:
    behind = float(chance.choice([-600e6, 3600e6, 7200e6]))
    arrived = series.times + behind + chance.uniform(0, 20e6, len(series))
    return replace(series, arrived=arrived.astype(np.int64))


def short_history(chance: Chance, series: Series) -> Series:
    some = slice(0, int(DAY / series.interval))
    return replace(series, times=series.times[some], values=series.values[some], last=int(series.times[some][-1]))


FAULTY: Mapping[str, Callable[[Chance, Series], Series]] = {
    each.__name__: each
    for each in (
        missing, gap, duplicate_stamp, invalid, out_of_domain, flat, spike, stuck_at_limit, erratic, drift, unit_jump,
        clock_skew, short_history,
    )
}  # fmt: skip
"""What each fault does to a signal, by its code."""
