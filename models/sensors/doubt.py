"""Readings that cannot be believed: of which signal, from when to when, and from when on that is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sensors.block import HOUR, Flags, Hours
from models.sensors.health import APART, JOINED, Health

_BEFORE_BROKEN = 6 * HOUR
_BEFORE_APART = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Doubt:
    """Readings of one signal that cannot be believed.

    Attributes
    ----------
    begin, end : they lie in (begin, end]
    known : the hour from which on this is known; whoever looks at an earlier moment knows nothing of it
    """

    signal: str
    begin: np.datetime64
    end: np.datetime64
    known: np.datetime64

    def at(self, times: Hours) -> Flags:
        """Say at which moments it stands."""
        return np.asarray(times >= self.known)


def doubts(health: Health) -> tuple[Doubt, ...]:
    """Return what the health of a machine's sensors says of their readings.

    A fault began before it was seen: six hours before are doubted with it, and of a signal that went apart from
    the others, a day. While such a signal is apart it may be the machine, so it is doubted only from when it came
    back on, and never if others followed it.
    """
    faulty = np.flatnonzero((health.fault > 0).any(axis=1)).tolist()
    return tuple(
        doubt
        for signal, fault in ((health.signals[place], health.fault[place]) for place in faulty)
        for doubt in (*_broken(signal, health.hours, fault), *_apart(signal, health.hours, fault))
    )


def _broken(signal: str, hours: Hours, fault: NDArray[np.int8]) -> Iterator[Doubt]:
    for first, stop in _runs((fault > 0) & (fault != APART)):
        yield Doubt(signal, hours[first] - _BEFORE_BROKEN, hours[stop - 1], hours[first])


def _apart(signal: str, hours: Hours, fault: NDArray[np.int8]) -> Iterator[Doubt]:
    for first, stop in _runs(fault == APART):
        if stop < len(hours) and fault[stop] != JOINED:
            yield Doubt(signal, hours[first] - _BEFORE_APART, hours[stop - 1], hours[stop])


def _runs(flags: Flags) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return zip(edges[::2], edges[1::2], strict=True)
