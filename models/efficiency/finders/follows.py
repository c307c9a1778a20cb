"""Whether the stops of a machine follow those of a machine before it in its line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.finders.record import Record

REACH = HOUR // 20
"""How long after the end of a stand before it a stop still follows it."""
_STANDS = ("minor_stop", "breakdown", "stopped", "changeover")
_SHARE, _ALPHA = 0.5, 0.001

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Followed:
    """A machine whose stands are followed: by which share of stops, and by which share if they came at any time."""

    machine: str
    share: float
    by_chance: float


def followed(
    stops: Places, record_of: Callable[[str], Record], neighbours: Sequence[str], since: int
) -> Followed | None:
    """Return the nearest machine that half of some stops or more follow, and more than chance can do.

    Parameters
    ----------
    stops : when each began, in microseconds
    neighbours : the nearest first
    since : of all stops, in microseconds
    """
    from scipy.stats import binom

    for name in neighbours if len(stops) else ():
        parts = record_of(name).parts
        parts = parts[parts["stop"] > since]
        stands = parts[parts["did"].isin(_STANDS)]
        begin, stop = (stands[each].to_numpy(np.int64) for each in ("begin", "stop"))
        whole = int((parts["stop"] - parts["begin"]).sum())
        if not len(begin) or not whole:
            continue
        last = np.minimum(stop + REACH, np.append(begin[1:], np.iinfo(np.int64).max))
        at = np.searchsorted(begin, stops, side="right") - 1
        hit = int(((at >= 0) & (stops < last[np.maximum(at, 0)])).sum())
        chance = min(1.0, float((last - begin).sum()) / whole)
        if hit >= _SHARE * len(stops) and binom.sf(hit - 1, len(stops), chance) < _ALPHA:
            return Followed(name, hit / len(stops), chance)
    return None
