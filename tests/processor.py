"""What work costs a machine of usual speed: one that is shared is slower by half or more, for minutes."""

from collections.abc import Callable
from time import process_time

_ROUNDS = 60_000
_USUAL_SECONDS = 0.015
"""So long a server's processor that nobody else uses takes for the known work."""
_TRIES = 3


def cpu_seconds(work: Callable[[], object], *, enough: float) -> float:
    """Return the least CPU time of up to three runs, in seconds of a usual processor.

    What others on this machine do can only add to it. Each run is set against known work before and after
    it; a processor faster than the usual one is not held against the work.

    Parameters
    ----------
    enough : a run under so many seconds is the last
    """
    least = float("inf")
    for _ in range(_TRIES):
        before = _known_work()
        began = process_time()
        work()
        took = process_time() - began
        slowness = (before + _known_work()) / 2 / _USUAL_SECONDS
        least = min(least, took / max(slowness, 1.0))
        if least < enough:
            break
    return least


def _known_work() -> float:
    began = process_time()
    made = {}
    for each in range(_ROUNDS):
        made[str(each)] = (each, each % 7)
    return process_time() - began
