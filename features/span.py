"""What a recipe uses of the readings of some machines, read in portions that fit into memory."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from features.excluded import excluded_time
from features.microsecond import Times
from features.moments import Floats
from features.recipe import Recipe
from features.samples import Past, Samples, samples_of


def read_samples(
    recipe: Recipe,
    history: Past,
    machines: Sequence[str],
    start: int,
    end: int,
    signals: slice = slice(None),
) -> Samples:
    """Read signals of some machines in (start, end], given in microseconds since 1970.

    What was read while a machine was off or settled is left out.

    Parameters
    ----------
    signals : which of the recipe's
    """
    samples = samples_of(history, recipe.machine_class, recipe.signals[signals], machines, start, end)
    if recipe.running is None:
        return samples
    excluded = excluded_time(recipe.running, history, recipe.machine_class, machines, start, end)
    own = (each.holds(samples.of_machine(place).time) for place, each in enumerate(excluded))
    return samples.where(~np.concatenate([*own]))


def running_shares(
    recipe: Recipe, history: Past, machines: Sequence[str], ends: Times, lengths: Sequence[int]
) -> list[Floats]:
    """Return the share of each window (end − length, end] in which machines ran and had settled.

    Parameters
    ----------
    ends : ascending, in microseconds since 1970
    lengths : of the windows, in microseconds

    Returns
    -------
    for each length: shape (n_machines, n_ends), 0 to 1
    """
    if recipe.running is None or not len(ends):
        return [np.ones((len(machines), len(ends))) for _ in lengths]
    start = int(ends[0]) - max(lengths)
    excluded = excluded_time(recipe.running, history, recipe.machine_class, machines, start, int(ends[-1]))
    return [1 - np.array([each.within(ends - length, ends) for each in excluded]) / length for length in lengths]


def portions(start: int, end: int, step: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut (start, end] into spans of at most ``most`` that begin at multiples of ``step`` after the start."""
    length = max(most // step, 1) * step
    for begin in range(start, end, length):
        yield begin, min(begin + length, end)


def expected_every(recipe: Recipe) -> timedelta:
    """Return the shortest expected time between two rows; a guess when the recipe does not know it."""
    return min(recipe.every, default=recipe.windows[0] / 3)
