"""Each machine's own normal: what its first hours or days came to."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from features.microsecond import EPOCH, HOUR, MICROSECOND, microseconds
from features.moments import Floats, Moments, no_samples
from features.pane import add_samples
from features.recipe import Recipe
from features.span import expected_every, portions, read_samples, running_shares
from ingest.history import History


def own_normal(
    recipe: Recipe, history: History, machines: Sequence[str], firsts: Mapping[str, int], cells: int
) -> tuple[Moments, Floats]:
    """Return what the first ``baseline`` of each machine's history came to, its first reading included.

    Parameters
    ----------
    firsts : time of each machine's first reading, in microseconds since 1970
    cells : about how many readings may be held at once; one machine's are always held together

    Returns
    -------
    moments of shape (n_signals, n_machines, 1), and the share of that time in which each machine ran
    """
    if recipe.baseline is None:
        raise ValueError("the recipe has no baseline")
    normal, ran = no_samples((len(recipe.signals), len(machines))), np.ones(len(machines))
    length = microseconds(recipe.baseline)
    of_one = len(recipe.signals) * (recipe.baseline // expected_every(recipe) + 1)
    at_once = max(1, cells // of_one)
    for first in sorted({firsts[machine] for machine in machines}):
        begin, end = first - 1, first + length
        places = [place for place, machine in enumerate(machines) if firsts[machine] == first]
        names = [machines[place] for place in places]
        read = partial(_read, recipe, history, names, (begin, end), at_once)
        if recipe.running is not None and recipe.running.read().uses_state:
            # A state may be told of later, and what is remembered is forgotten for new readings only.
            found = read(range(len(names)))
        else:
            keys = [("own normal", recipe.signals, recipe.running, name) for name in names]
            start, stop = (EPOCH + each * MICROSECOND for each in (begin, end))
            found = history.derived(recipe.machine_class, start, stop, keys, read)
        for place, (own, share) in zip(places, found, strict=True):
            ran[place] = share
            for field, value in zip(normal, own, strict=True):
                field[:, place] = value
    return normal.part((..., np.newaxis)), ran


def _read(
    recipe: Recipe,
    history: History,
    machines: Sequence[str],
    span: tuple[int, int],
    at_once: int,
    which: Sequence[int],
) -> list[tuple[Moments, float]]:
    """Return the moments of a span of some of the machines, each of shape (n_signals,), and the share that it ran."""
    names = [machines[place] for place in which]
    moments = no_samples((len(recipe.signals), len(names)))
    for begin, end in portions(0, len(names), 1, at_once):
        samples = read_samples(recipe, history, names[begin:end], *span)
        add_samples(moments, samples.values, (samples.time - span[1]) / HOUR, begin + samples.machine)
    ran = running_shares(recipe, history, names, np.array([span[1]]), [span[1] - span[0]])[0][:, 0].tolist()
    return [(moments.copy((slice(None), place)), share) for place, share in enumerate(ran)]
