"""Features that need each sample of a window, such as quantiles: a few signals and some time at once."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from features.align import HOLDS
from features.feature import Feature
from features.kernels.windows import Spans, window_features
from features.limits import Limits, held
from features.microsecond import HOUR, Times, microseconds
from features.moments import Floats
from features.recipe import Recipe
from features.samples import Past, Samples
from features.span import expected_every, portions, read_samples
from features.window import BLOCK_CELLS, floors_at, gather

Found = dict[tuple[str, timedelta], Floats]


def one_by_one(
    recipe: Recipe,
    history: Past,
    machines: Sequence[str],
    restarts: Sequence[Times],
    ends: Times,
    features: Sequence[Feature],
    cells: int,
) -> Found:
    """Return features that are made from samples one by one, for windows of each length.

    Samples are read again for it, because those of all signals over all windows need not fit into memory.

    Parameters
    ----------
    restarts : for each machine, the ascending moments at which a failure was over
    ends : neighbouring multiples of the recipe's stride
    features : of the kinds ``samples``, ``ordered``, ``timed`` and ``limits``
    cells : about how many samples may be held at once; one signal over twice the longest window always is

    Returns
    -------
    for each name of a feature and length of a window: shape (n_signals, n_machines, n_ends)
    """
    shape = (len(recipe.signals), len(machines), len(ends))
    found = {(feature.name, length): np.full(shape, np.nan) for feature in features for length in recipe.windows}
    lookback = microseconds(recipe.lookback)
    fits = cells * microseconds(expected_every(recipe)) // len(machines)
    at_once = max(1, fits // (2 * lookback))
    more = max(fits // min(at_once, shape[0]) - lookback, lookback)
    for first, last in portions(0, shape[0], 1, at_once):
        bounds = [_bounds(recipe, place) for place in range(first, last)]
        for begin, end in portions(0, len(ends), 1, more // microseconds(recipe.stride)):
            samples = read_samples(
                recipe, history, machines, int(ends[begin]) - lookback, int(ends[end - 1]), slice(first, last)
            )
            part = {key: values[first:last, :, begin:end] for key, values in found.items()}
            _fill(part, samples, restarts, ends[begin:end], features, bounds)
    return found


def _fill(
    found: Found,
    samples: Samples,
    restarts: Sequence[Times],
    ends: Times,
    features: Sequence[Feature],
    bounds: Sequence[tuple[Limits, float]],
) -> None:
    """Write the features of some windows, given all samples that the windows hold.

    Parameters
    ----------
    bounds : limits of each signal, and hours for which one of its samples stands at most
    """
    lengths = dict.fromkeys(length for _, length in found)
    kernels = [each.name for each in features if each.by_kernel]
    as_read, of_sorted = (
        {each.name: each.of_rows for each in features if each.of_rows and each.kind == kind}
        for kind in ("samples", "ordered")
    )
    of_timed = {each.name: each.of_timed for each in features if each.of_timed}
    of_limits = {each.name: each.of_limits for each in features if each.of_limits}
    for machine, own in enumerate(restarts):
        lives, read = floors_at(own, ends), samples.of_machine(machine)
        for length in lengths:
            begins = np.maximum(ends - microseconds(length), lives)
            if kernels:
                spans = Spans(read.time, begins, ends)
                for name, values in zip(kernels, window_features(read.values, spans, kernels), strict=True):
                    found[name, length][:, machine] = values
            for some, times, values in _alike(read, begins, ends) if len(kernels) < len(features) else ():
                for block, hours, rows in _laid_out(times, values, begins, ends, timed=bool(of_timed or of_limits)):
                    to = some, machine, block
                    shape = len(values), -1
                    for name, of_rows in as_read.items():
                        found[name, length][to] = of_rows(rows).reshape(shape)
                    for name, of_times in of_timed.items():
                        found[name, length][to] = of_times(hours, rows).reshape(shape)
                    for place, (limits, longest) in enumerate(bounds[some] if of_limits else ()):
                        part = slice(place * len(rows) // len(values), (place + 1) * len(rows) // len(values))
                        stands = held(hours[part], longest)
                        for name, of_bounds in of_limits.items():
                            found[name, length][some.start + place, machine, block] = of_bounds(
                                stands, rows[part], limits
                            )
                    if of_sorted:
                        rows.sort(axis=1)
                    for name, of_rows in of_sorted.items():
                        found[name, length][to] = of_rows(rows).reshape(shape)


def _alike(read: Samples, begins: Times, ends: Times) -> Iterator[tuple[slice, Times, Floats]]:
    """Yield signals that were read at the same times, with these and all that was read, shape (n_signals, n_samples).

    As many signals as fit are taken at once: the longest window of all of them is laid out together.
    """
    known = ~np.isnan(read.values)
    if not known.all():
        for signal, there in enumerate(known):
            yield slice(signal, signal + 1), read.time[there], read.values[signal : signal + 1, there]
        return
    first, stop = (np.searchsorted(read.time, each, side="right") for each in (begins, ends))
    at_once = max(BLOCK_CELLS // max(int((stop - first).max()), 1), 1)
    for begin, end in portions(0, len(known), 1, at_once):
        yield slice(begin, end), read.time, read.values[begin:end]


def _bounds(recipe: Recipe, signal: int) -> tuple[Limits, float]:
    """Return the limits of a signal, and the hours for which one of its samples stands at most."""
    limits = recipe.limits[signal] if recipe.limits else Limits()
    if recipe.max_ages:
        return limits, microseconds(recipe.max_ages[signal]) / HOUR
    return limits, HOLDS * microseconds(recipe.every[signal]) / HOUR if recipe.every else math.inf


def _laid_out(
    times: Times, values: Floats, begins: Times, ends: Times, *, timed: bool
) -> Iterator[tuple[slice, Floats, Floats]]:
    """Yield some windows at a time: which, hours after their ends (empty unless ``timed``), and samples.

    Rows end in NaN; the windows of the first signal come first, those of the next one behind them.
    """
    for block, place, inside in gather(times, begins, ends, len(values)):
        rows = np.full((len(values), *inside.shape), np.nan)
        rows[:, inside] = values[:, place[inside]]
        hours = np.empty(0)
        if timed:
            # A time in microseconds has fewer digits than a float holds, so that nothing is lost.
            clock = np.full(inside.shape, np.nan)
            clock[inside] = times[place[inside]].astype(np.float64)
            hours = np.tile((clock - ends[block, np.newaxis]) / HOUR, (len(values), 1))
        yield block, hours, rows.reshape(-1, inside.shape[1])
