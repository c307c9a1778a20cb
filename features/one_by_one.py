"""Features that need each sample of a window, such as quantiles: a few signals and some time at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from features.catalogue import Feature
from features.kernels.windows import Spans, window_features
from features.moments import Floats
from features.recipe import Recipe
from features.samples import Past, Samples
from features.span import expected_every, portions, read_samples
from features.window import Times, floors_at, gather, microseconds

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
    features : of the kinds ``samples`` and ``ordered``; those of the kernels and others
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
        some = recipe
        if last - first < shape[0]:
            some = replace(recipe, signals=recipe.signals[first:last], every=recipe.every[first:last])
        for begin, end in portions(0, len(ends), 1, more // microseconds(recipe.stride)):
            samples = read_samples(some, history, machines, int(ends[begin]) - lookback, int(ends[end - 1]))
            part = {key: values[first:last, :, begin:end] for key, values in found.items()}
            _fill(part, samples, restarts, ends[begin:end], features)
    return found


def _fill(found: Found, samples: Samples, restarts: Sequence[Times], ends: Times, features: Sequence[Feature]) -> None:
    """Write the features of some windows, given all samples that the windows hold."""
    lengths = dict.fromkeys(length for _, length in found)
    kernels = [each.name for each in features if each.by_kernel]
    as_read, of_sorted = (
        {each.name: each.of_rows for each in features if each.of_rows and each.kind == kind}
        for kind in ("samples", "ordered")
    )
    for machine, own in enumerate(restarts):
        lives, read = floors_at(own, ends), samples.of_machine(machine)
        for length in lengths:
            begins = np.maximum(ends - microseconds(length), lives)
            if kernels:
                spans = Spans(read.time, begins, ends)
                for name, values in zip(kernels, window_features(read.values, spans, kernels), strict=True):
                    found[name, length][:, machine] = values
            for signal, values in enumerate(read.values if as_read or of_sorted else ()):
                known = ~np.isnan(values)
                for block, rows in gather(read.time[known], values[known], begins, ends):
                    for name, of_rows in as_read.items():
                        found[name, length][signal, machine, block] = of_rows(rows)
                    if of_sorted:
                        rows.sort(axis=1)
                    for name, of_rows in of_sorted.items():
                        found[name, length][signal, machine, block] = of_rows(rows)
