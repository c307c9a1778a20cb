"""Spent: what a run cost in processor time, memory and, estimated, energy."""

import resource
import sys


def processor_seconds() -> float:
    """Return the processor time of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_memory() -> int:
    """Return the highest memory of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def watt_hours(seconds: float, watts: float) -> float:
    """Return the energy that processor time took: an estimate, as what a core draws varies with load and model.

    Parameters
    ----------
    seconds : processor time
    watts : what one busy core draws, with its share of memory and cooling

    Examples
    --------
    >>> watt_hours(1800, 10)
    5.0
    """
    return seconds * watts / 3600
