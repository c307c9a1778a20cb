"""Each machine's own normal: what its first hours or days came to."""

from collections.abc import Mapping, Sequence

import numpy as np

from features.moments import Moments, no_samples
from features.pane import add_samples
from features.recipe import Recipe
from features.span import expected_every, read_samples
from features.window import HOUR, microseconds
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
        together = [place for place, machine in enumerate(machines) if firsts[machine] == first]
        for begin in range(0, len(together), at_once):
            places = np.array(together[begin : begin + at_once])
            names = [machines[place] for place in places]
            found = read_samples(recipe, history, names, first - 1, first + length)
            add_samples(normal, found.values, (found.time - (first + length)) / HOUR, places[found.machine])
    return normal.part((..., np.newaxis))
