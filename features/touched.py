"""Which window ends a reading has a say in, so that one that comes late touches these and no others."""

import numpy as np

from features.catalogue import BY_NAME
from features.microsecond import Times, microseconds
from features.recipe import Recipe
from features.run import gap
from features.usual import NEW_FEATURES


def touched(recipe: Recipe, times: Times, first: int, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans, each (begin, end], of the window ends in (start, end] that readings may change.

    A reading at t is in the windows that end from t on and before t + the longest window. Where it may say
    that the machine is off, it holds for some time and a start settles after it: windows that hold any of that
    are touched, too. One of the
    time that a machine's own normal is learnt from has a say in every later window, and so has a
    machine's first reading where its age is a feature.

    Parameters
    ----------
    times : of the readings, in microseconds since 1970, ascending, at least one
    first : time of the machine's first reading, these included
    start, end : microseconds since 1970
    """
    step = microseconds(recipe.stride)
    low = -(-times // step)
    high = (times + microseconds(recipe.lookback) + holds(recipe) - 1) // step
    if times[0] <= ever_since(recipe, first):
        high[0] = end // step
        high = np.maximum.accumulate(high)
    return _spans(low, high, start, end, step)


def reached(recipe: Recipe, times: Times, reach: int, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans, each (begin, end], of the window ends in (start, end] that follow readings within a reach.

    Parameters
    ----------
    times : of the readings, in microseconds since 1970, ascending, at least one
    reach, start, end : microseconds; the latter two since 1970
    """
    step = microseconds(recipe.stride)
    return _spans(-(-times // step), (times + reach - 1) // step, start, end, step)


def _spans(low: Times, high: Times, start: int, end: int, step: int) -> list[tuple[int, int]]:
    """Return spans of the window ends from number ``low`` to ``high``, both ascending, that lie in (start, end]."""
    low, high = np.maximum(low, start // step + 1), np.minimum(high, end // step)
    inside = low <= high
    low, high = low[inside], high[inside]
    if len(low) == 0:
        return []
    apart = np.flatnonzero(low[1:] > high[:-1] + 1)
    begins, ends = low[np.append(0, apart + 1)], high[np.append(apart, len(high) - 1)]
    return [((begin - 1) * step, last * step) for begin, last in zip(begins.tolist(), ends.tolist(), strict=True)]


def ever_since(recipe: Recipe, first: int) -> int:
    """Return up to when readings have a say in every later window; before the first one if none has."""
    if recipe.baseline and any(BY_NAME[name].kind == "baseline" for name in recipe.features):
        return first + microseconds(recipe.baseline)
    return first if set(NEW_FEATURES) & set(recipe.features) else first - 1


def holds(recipe: Recipe) -> int:
    """Return how long after a reading it may decide whether others are left out, or what they come to."""
    running = recipe.running
    held = microseconds(running.hold + running.settle) if running is not None and running.signals else 0
    held = max(held, microseconds(recipe.regimes.hold) if recipe.regimes is not None else 0)
    # One that closes a gap joins two snapshots, and a speed holds for snapshots that begin later.
    return max([held, *(held + 2 * gap(each.rate) + microseconds(each.speed_hold) for each in recipe.waveforms)])
