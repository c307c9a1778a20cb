"""Each machine's own normal: what its first hours or days came to."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from features.moments import Moments, no_samples
from features.pane import add_samples
from features.recipe import MICROSECOND, Recipe
from features.span import expected_every, portions, read_samples
from features.window import EPOCH, HOUR, microseconds
from ingest.store import History


def own_normal(
    recipe: Recipe, history: History, machines: Sequence[str], firsts: Mapping[str, int], cells: int
) -> Moments:
    """Return the moments of the first ``baseline`` of each machine's history, its first reading included.

    Parameters
    ----------
    firsts : time of each machine's first reading, in microseconds since 1970
    cells : about how many readings may be held at once; one machine's are always held together

    Returns
    -------
    moments of shape (n_signals, n_machines, 1)
    """
    if recipe.baseline is None:
        raise ValueError("the recipe has no baseline")
    normal = no_samples((len(recipe.signals), len(machines)))
    length = microseconds(recipe.baseline)
    of_one = len(recipe.signals) * (recipe.baseline // expected_every(recipe) + 1)
    at_once = max(1, cells // of_one)
    for first in sorted({firsts[machine] for machine in machines}):
        begin, end = first - 1, first + length
        places = [place for place, machine in enumerate(machines) if firsts[machine] == first]
        names = [machines[place] for place in places]
        found = history.derived(
            recipe.machine_class,
            EPOCH + begin * MICROSECOND,
            EPOCH + end * MICROSECOND,
            [("own normal", recipe.signals, name) for name in names],
            partial(_read, recipe, history, names, (begin, end), at_once),
        )
        for place, own in zip(places, found, strict=True):
            for field, value in zip(normal, own, strict=True):
                field[:, place] = value
    return normal.part((..., np.newaxis))


def _read(
    recipe: Recipe,
    history: History,
    machines: Sequence[str],
    span: tuple[int, int],
    at_once: int,
    which: Sequence[int],
) -> list[Moments]:
    """Return the moments of a span of some of the machines, each of shape (n_signals,)."""
    names = [machines[place] for place in which]
    moments = no_samples((len(recipe.signals), len(names)))
    for begin, end in portions(0, len(names), 1, at_once):
        samples = read_samples(recipe, history, names[begin:end], *span)
        add_samples(moments, samples.values, (samples.time - span[1]) / HOUR, begin + samples.machine)
    return [moments.copy((slice(None), place)) for place in range(len(names))]
