"""Features of windows by other libraries; run by ``tests.benchmarks.features`` in an environment of their own.

``python window_peers.py CONTENDER SERIES SAMPLES RUNS`` prints JSON: seconds and processor seconds of each run,
peak memory beyond the input in MB, and the values of the first series' first windows, by feature.
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LENGTH, STRIDE, SHOWN = 256, 64, 5
Found = dict[str, Any]

CLOCK = np.arange(LENGTH) - (LENGTH - 1) / 2
HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH)
NAMES = (
    *("mean", "standard_deviation", "minimum", "maximum", "range", "root_mean_square", "skewness", "kurtosis"),
    *("crest_factor", "slope", "energy", "zero_crossing_rate", "mean_crossing_rate", "quantile_10", "median"),
    *("quantile_90", "autocorrelation", "dominant_frequency", *(f"band_power_{band}" for band in range(1, 5))),
)


def series_of(count: int, samples: int) -> Any:
    """Return the benchmark's series: a level, a swing and noise, shape (count, samples)."""
    random = np.random.default_rng(0)
    values = np.empty((count, samples))
    for own in values:  # one by one, so that nothing but the series has been in memory
        level, turn = random.uniform(-1, 1), random.uniform(0.05, 1.5)
        own[:] = random.normal(level, 1, samples)
        own += 2 * np.sin(np.arange(samples) % 10_000 * turn)
    return values


def peak_megabytes(*, anew: bool = False) -> float:
    """Return the most memory that this process has held; ``anew``: from now on, where the system allows it."""
    status, forget = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if anew and forget.exists():
        forget.write_text("5")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def power(x: Any) -> Any:
    """Return one-sided power by bin above 0, along the last axis."""
    waves = np.fft.rfft((x - x.mean(axis=-1, keepdims=True)) * HANN)[..., 1:]
    found = (waves.real**2 + waves.imag**2) * (2 / (LENGTH * 0.375 * LENGTH))
    found[..., -1] /= 2
    return found


def _crossings(x: Any) -> Any:
    above = x > 0
    return np.count_nonzero(above[..., 1:] != above[..., :-1], axis=-1) / (LENGTH - 1)


def _mean(x: Any) -> Any:
    return x.mean(axis=-1, keepdims=True)


def _moment(x: Any, order: int) -> Any:
    distance = x - _mean(x)
    return (distance**order).mean(axis=-1) / (distance**2).mean(axis=-1) ** (order / 2)


def _autocorrelation(x: Any) -> Any:
    distance = x - _mean(x)
    return (distance[..., 1:] * distance[..., :-1]).sum(axis=-1) / (distance**2).sum(axis=-1)


def _rms(x: Any) -> Any:
    return np.sqrt((x * x).mean(axis=-1))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda x: x.mean(axis=-1),
    "standard_deviation": lambda x: x.std(axis=-1),
    "minimum": lambda x: x.min(axis=-1),
    "maximum": lambda x: x.max(axis=-1),
    "range": lambda x: np.ptp(x, axis=-1),
    "root_mean_square": _rms,
    "skewness": lambda x: _moment(x, 3),
    "kurtosis": lambda x: _moment(x, 4) - 3,
    "crest_factor": lambda x: np.abs(x).max(axis=-1) / _rms(x),
    "slope": lambda x: x @ CLOCK / (CLOCK @ CLOCK) * 3600,
    "energy": lambda x: (x * x).sum(axis=-1),
    "zero_crossing_rate": _crossings,
    "mean_crossing_rate": lambda x: _crossings(x - _mean(x)),
    "quantile_10": lambda x: np.quantile(x, 0.1, axis=-1),
    "median": lambda x: np.median(x, axis=-1),
    "quantile_90": lambda x: np.quantile(x, 0.9, axis=-1),
    "autocorrelation": _autocorrelation,
    "dominant_frequency": lambda x: (power(x).argmax(axis=-1) + 1) / LENGTH,
    **{
        f"band_power_{band + 1}": lambda x, band=band: power(x)[..., band * 32 : band * 32 + 32].sum(axis=-1)
        for band in range(4)
    },
}


def fused(x: Any) -> tuple[Any, ...]:
    """Return all 22 features along the last axis, what they share made once."""
    mean = _mean(x)
    d = x - mean
    square = d * d
    m2, m3, m4 = square.sum(axis=-1), (square * d).sum(axis=-1), (square * square).sum(axis=-1)
    ordered = np.sort(x, axis=-1)
    low, high = ordered[..., 0], ordered[..., -1]
    middle = mean[..., 0]
    rms = np.sqrt(middle * middle + m2 / LENGTH)
    waves = np.fft.rfft(d * HANN)[..., 1:]
    bins = (waves.real**2 + waves.imag**2) * (2 / (LENGTH * 0.375 * LENGTH))
    bins[..., -1] /= 2
    quantiles = []
    for share in (0.1, 0.5, 0.9):
        place = share * (LENGTH - 1)
        below = int(place)
        quantiles.append(ordered[..., below] + (ordered[..., below + 1] - ordered[..., below]) * (place - below))
    return (
        middle, np.sqrt(m2 / LENGTH), low, high, high - low, rms, m3 / LENGTH / (m2 / LENGTH) ** 1.5,
        m4 / LENGTH / (m2 / LENGTH) ** 2 - 3, np.maximum(abs(low), abs(high)) / rms,
        (d * CLOCK).sum(axis=-1) / (CLOCK @ CLOCK) * 3600, LENGTH * rms * rms, _crossings(x), _crossings(d),
        *quantiles, (d[..., 1:] * d[..., :-1]).sum(axis=-1) / m2, (bins.argmax(axis=-1) + 1) / LENGTH,
        *(bins[..., band * 32 : band * 32 + 32].sum(axis=-1) for band in range(4)),
    )  # fmt: skip


def tsflex(how: str) -> Callable[[Any], Found]:
    """Return tsflex with all 22: ``plain`` or ``vectorised`` functions one by one, or one ``fused`` function."""

    def run(values: Any) -> Found:
        from tsflex.features import FeatureCollection, FuncWrapper, MultipleFeatureDescriptors

        if how == "plain":
            functions = [FuncWrapper(function, output_names=name) for name, function in FUNCTIONS.items()]
        elif how == "vectorised":
            functions = [
                FuncWrapper(function, output_names=name, vectorized=True) for name, function in FUNCTIONS.items()
            ]
        else:
            functions = [FuncWrapper(fused, output_names=list(NAMES), vectorized=how == "fused_vectorised")]
        data = [pd.Series(own, name=f"s{place}") for place, own in enumerate(values)]
        descriptors = MultipleFeatureDescriptors(functions, [each.name for each in data], LENGTH, STRIDE)
        found = FeatureCollection(descriptors).calculate(data, return_df=True, n_jobs=1, approve_sparsity=True)
        return {name: found[f"s0__{name}__w=256"].to_numpy()[:SHOWN] for name in NAMES}

    return run


def tsfresh(values: Any) -> Found:
    """Return tsfresh's closest settings on windows that were laid out one after the other."""
    from tsfresh.feature_extraction import extract_features

    windows = np.lib.stride_tricks.sliding_window_view(values, LENGTH, axis=1)[:, ::STRIDE].reshape(-1, LENGTH)
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(len(windows)), LENGTH),
            "time": np.tile(np.arange(LENGTH), len(windows)),
            "x": windows.reshape(-1),
        }
    )
    settings: dict[str, Any] = dict.fromkeys(
        ("mean", "standard_deviation", "minimum", "maximum", "root_mean_square", "skewness", "kurtosis", "abs_energy",
         "median")
    )  # fmt: skip
    settings |= {
        "linear_trend": [{"attr": "slope"}],
        "number_crossing_m": [{"m": 0}],
        "quantile": [{"q": 0.1}, {"q": 0.9}],
        "autocorrelation": [{"lag": 1}],
        "fft_aggregated": [{"aggtype": "centroid"}],
        "spkt_welch_density": [{"coeff": 2}],
    }
    found = extract_features(
        frame, column_id="id", column_sort="time", default_fc_parameters=settings, n_jobs=0, disable_progressbar=True
    )
    same = {
        "mean": "mean", "standard_deviation": "standard_deviation", "minimum": "minimum", "maximum": "maximum",
        "root_mean_square": "root_mean_square", "median": "median", "energy": "abs_energy",
        "quantile_10": "quantile__q_0.1", "quantile_90": "quantile__q_0.9",
    }  # fmt: skip
    return {name: found[f"x__{theirs}"].to_numpy()[:SHOWN] for name, theirs in same.items()}


def tsfel(values: Any) -> Found:
    """Return TSFEL's closest features, by one process: its pool of them may wait for ever."""
    import tsfel as library

    wanted = {
        "Mean", "Standard deviation", "Min", "Max", "Root mean square", "Skewness", "Kurtosis", "Slope",
        "Absolute energy", "Zero crossing rate", "ECDF Percentile", "Median", "Peak to peak distance",
        "Autocorrelation", "Fundamental frequency", "Maximum frequency", "Power bandwidth", "Spectral centroid",
    }  # fmt: skip
    settings = {
        domain: {name: each for name, each in library.get_features_by_domain(domain)[domain].items() if name in wanted}
        for domain in ("statistical", "temporal", "spectral")
    }
    of_first: Any = None
    for own in values:
        found = library.time_series_features_extractor(
            settings, own, fs=1, window_size=LENGTH, overlap=1 - STRIDE / LENGTH, verbose=0, n_jobs=None
        )
        of_first = found if of_first is None else of_first
    same = {"mean": "0_Mean", "standard_deviation": "0_Standard deviation", "minimum": "0_Min", "maximum": "0_Max"}
    return {name: of_first[theirs].to_numpy()[:SHOWN] for name, theirs in same.items()}


def pandas_rolling(values: Any, stride: int = STRIDE, quantiles: bool = True) -> Found:
    """Return what pandas' rolling windows know of themselves: nine features, or six without quantiles."""
    shown: Found = {}
    for own in values:
        rolling = pd.Series(own).rolling(LENGTH, step=stride)
        found = {name: getattr(rolling, name)() for name in ("mean", "min", "max", "skew", "kurt")}
        found["std"] = rolling.std(ddof=0)
        if quantiles:
            found |= {"q10": rolling.quantile(0.1), "median": rolling.median(), "q90": rolling.quantile(0.9)}
        shown = shown or found
    same = {"mean": "mean", "standard_deviation": "std", "minimum": "min", "maximum": "max"}
    # With a step, windows end at samples 0, 64, 128, …: one before the ends of ours.
    return {name: shown[theirs].to_numpy()[LENGTH - 1 :][:SHOWN] for name, theirs in same.items() if stride == 1}


def polars(values: Any) -> Found:
    """Return 17 features of the time domain by polars' dynamic groups, on as many threads as it likes."""
    import polars as pl

    x = pl.col("x")
    rms = (x * x).mean().sqrt()
    crossings = ((x > 0) != (x > 0).shift(1)).sum() / (LENGTH - 1)
    of_mean = ((x > x.mean()) != (x > x.mean()).shift(1)).sum() / (LENGTH - 1)
    formulas = [
        x.mean().alias("mean"), x.std(ddof=0).alias("standard_deviation"), x.min().alias("minimum"),
        x.max().alias("maximum"), (x.max() - x.min()).alias("range"), rms.alias("root_mean_square"),
        x.skew().alias("skewness"), x.kurtosis().alias("kurtosis"), (x.abs().max() / rms).alias("crest_factor"),
        (x * x).sum().alias("energy"), crossings.alias("zero_crossing_rate"), of_mean.alias("mean_crossing_rate"),
        x.quantile(0.1, "linear").alias("quantile_10"), x.median().alias("median"),
        x.quantile(0.9, "linear").alias("quantile_90"), (pl.cov("i", "x") / pl.col("i").var() * 3600).alias("slope"),
        (((x - x.mean()) * (x.shift(1) - x.mean())).sum() / ((x - x.mean()) ** 2).sum()).alias("autocorrelation"),
    ]  # fmt: skip
    shown: Found = {}
    for own in values:
        frame = pl.DataFrame({"i": np.arange(len(own)), "x": own})
        found = frame.group_by_dynamic("i", every=f"{STRIDE}i", period=f"{LENGTH}i").agg(formulas)
        shown = shown or {name: found[name].to_numpy()[:SHOWN] for name in found.columns if name != "i"}
    return shown


def bottleneck(values: Any) -> Found:
    """Return bottleneck's moving mean, deviation and extremes at each sample."""
    import bottleneck as library

    found = {
        "mean": library.move_mean(values, LENGTH), "standard_deviation": library.move_std(values, LENGTH),
        "minimum": library.move_min(values, LENGTH), "maximum": library.move_max(values, LENGTH),
    }  # fmt: skip
    return {name: each[0, LENGTH - 1 :][:SHOWN] for name, each in found.items()}


def pandas_each(values: Any) -> Found:
    """Return pandas' rolling windows at each sample: six features."""
    return pandas_rolling(values, 1, quantiles=False)


CONTENDERS: dict[str, Callable[[Any], Found]] = {
    "tsflex_fused": tsflex("fused"),
    "tsflex_fused_vectorised": tsflex("fused_vectorised"),
    "tsflex_vectorised": tsflex("vectorised"),
    "tsflex_plain": tsflex("plain"),
    "tsfresh": tsfresh,
    "tsfel": tsfel,
    "pandas": pandas_rolling,
    "polars": polars,
    "pandas_each": pandas_each,
    "bottleneck": bottleneck,
}


def main() -> None:
    """Measure one contender."""
    contender, series, samples, runs = sys.argv[1], *(int(each) for each in sys.argv[2:5])
    values = series_of(series, samples)
    warnings.simplefilter("ignore")
    run = CONTENDERS[contender]
    run(values[:1, : 4 * LENGTH])
    before = peak_megabytes(anew=True)
    clocks, found = [], {}
    for _ in range(runs):
        begin = time.perf_counter(), time.process_time()
        found = run(values)
        clocks.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    peak = peak_megabytes() - before
    shown = {name: np.asarray(each, float).tolist() for name, each in found.items()}
    print(json.dumps({"clocks": clocks, "peak_megabytes": peak, "shown": shown}))


if __name__ == "__main__":
    main()
