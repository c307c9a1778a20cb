"""When a machine ran that reports no states: by its class's ``running`` expression, or by two levels of a power signal.

The two levels are told apart by Otsu's threshold (the one that leaves least variance within the levels). They are
believed where Ashman's D, the distance of their means over their common spread, is above 2, and few readings lie around
the threshold: otherwise two levels cannot be told from one broad one.

Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979), 62-66.
Ashman, Bird and Zepf, Detecting bimodality in astronomical datasets, Astronomical Journal 108 (1994), 2348.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from features.align import max_age
from features.excluded import known_running
from features.microsecond import microseconds
from features.production.bucket import RUNNING, STOPPED
from features.production.stretches import Stretches
from features.running import Running
from features.samples import samples_of
from features.sampling import signal_intervals
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass

CLEAR = 2.0
"""Ashman's D above which two levels are two."""
LEAST = 50
"""Readings that it takes to tell two levels apart."""
_BINS = 512

Sampling = Mapping[str, timedelta]


@dataclass(frozen=True, slots=True)
class Levels:
    """Two levels of a signal.

    Attributes
    ----------
    low, high : their means, in the signal's unit
    threshold : above it the machine runs
    separation : Ashman's D
    sure : mean probability, 0.5 to 1, that a reading belongs to the level it is counted to, if each level is normal
    """

    low: float
    high: float
    threshold: float
    separation: float
    sure: float


def two_levels(values: NDArray[np.float64]) -> Levels | None:
    """Return the two levels of a signal; ``None`` where it has no two that can be told apart.

    Parameters
    ----------
    values : shape (n,), any order, without NaN

    Examples
    --------
    >>> found = two_levels(np.concatenate([np.random.default_rng(1).normal(each, 1, 500) for each in (2, 20)]))
    >>> round(found.low), round(found.high), found.separation > 10, round(found.sure, 3)
    (2, 20, True, 1.0)
    >>> two_levels(np.random.default_rng(1).normal(5, 1, 1000)) is None
    True
    """
    if len(values) < LEAST or values.min() == values.max():
        return None
    threshold = _otsu(values)
    low, high = values[values <= threshold], values[values > threshold]
    if min(len(low), len(high)) < 2:
        return None
    spread = math.sqrt((float(low.var()) + float(high.var())) / 2)
    distance = float(high.mean() - low.mean())
    # A level that never varies is known to its digits: any distance is clear.
    separation = distance / spread if spread > 0 else math.inf
    if not separation > CLEAR or not _valley(values, float(low.mean()), float(high.mean()), threshold):
        return None
    return Levels(float(low.mean()), float(high.mean()), threshold, separation, _sure(values, low, high, threshold))


def _otsu(values: NDArray[np.float64]) -> float:
    counts, edges = np.histogram(values, bins=_BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = len(values) - below
    total = np.cumsum(counts * centres)
    mean_below = total[:-1] / np.maximum(below, 1)
    mean_above = (total[-1] - total[:-1]) / np.maximum(above, 1)
    between = below * above * (mean_above - mean_below) ** 2
    best = np.flatnonzero(between == between.max())
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)


def _valley(values: NDArray[np.float64], low: float, high: float, threshold: float) -> bool:
    """Whether fewer readings lie around the threshold than around either level: one broad level has its most there."""
    reach = (high - low) / 8
    near = [int((np.abs(values - centre) <= reach).sum()) for centre in (low, threshold, high)]
    return near[1] < 0.5 * min(near[0], near[2])


def _sure(values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], threshold: float) -> float:
    floor = max((float(high.mean()) - float(low.mean())) * 1e-3, np.finfo(np.float64).tiny)
    logs = []
    for own in (low, high):
        spread = max(float(own.std()), floor)
        logs.append(math.log(len(own) / spread) - ((values - own.mean()) / spread) ** 2 / 2)
    of_high = np.exp(-np.logaddexp(0.0, logs[0] - logs[1]))
    return float(np.where(values > threshold, of_high, 1 - of_high).mean())


@dataclass(frozen=True, slots=True)
class Inferred:
    """What signals say of when a machine ran.

    Attributes
    ----------
    stretches : of the meanings ``RUNNING`` and ``STOPPED``; nothing where it is not known
    how : in words, for people
    sure : 0.5 to 1; ``None`` for an expression, which is as sure as the person who wrote it
    """

    stretches: Stretches
    how: str
    sure: float | None = None


def inferred(history: History, machine_class: MachineClass, machine: str, start: int, stop: int) -> Inferred | None:
    """Return when a machine ran by its signals; ``None`` where the class says nothing of it, or nothing was found.

    Parameters
    ----------
    start, stop : microseconds since 1970
    """
    try:
        sampling = signal_intervals(history, machine_class)
    except NotEnoughDataError:
        return None
    if machine_class.running is not None:
        return _by_expression(history, machine_class, machine, sampling, start, stop)
    return _by_levels(history, machine_class, machine, sampling, start, stop)


def _by_expression(
    history: History, machine_class: MachineClass, machine: str, sampling: Sampling, start: int, stop: int
) -> Inferred | None:
    running = Running.of(machine_class, sampling)
    if running is None or running.read().uses_state:
        return None
    ran, stood = known_running(running, history, machine_class.name, machine, start, stop)
    begin, end = np.concatenate([ran.begin, stood.begin]), np.concatenate([ran.stop, stood.stop])
    what = np.repeat([RUNNING, STOPPED], [len(ran.begin), len(stood.begin)])
    stretches = Stretches.overlapping(begin, np.minimum(end, stop), what)
    return Inferred(stretches, f"by '{machine_class.running}'") if len(stretches.begin) else None


def _by_levels(
    history: History, machine_class: MachineClass, machine: str, sampling: Sampling, start: int, stop: int
) -> Inferred | None:
    signal = next((each for each in machine_class.signals if each.name == machine_class.power), None)
    if signal is None:
        return None
    samples = samples_of(history, machine_class.name, [signal.name], [machine], start, stop)
    levels = two_levels(samples.values[0])
    if levels is None:
        return None
    what = np.where(samples.values[0] > levels.threshold, RUNNING, STOPPED)
    ends = np.full(len(what), np.iinfo(np.int64).max)
    age = microseconds(max_age(signal, sampling[signal.name]))
    unit = f" {signal.unit}" if signal.unit else ""
    return Inferred(
        Stretches.until_next(samples.time, ends, what, stop, age),
        f"by two levels of {signal.name}, {levels.low:.3g} and {levels.high:.3g}{unit}",
        levels.sure,
    )
