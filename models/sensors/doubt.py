"""Readings that cannot be believed: of which signal, from when to when, and from when on that is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sensors.block import HOUR, Flags, Hours
from models.sensors.health import APART, JOINED, Health

NEVER = np.datetime64(np.iinfo(np.int64).max, "us")

_BEFORE_BROKEN = 6 * HOUR
_BEFORE_APART = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Doubt:
    """Readings of one signal that cannot be believed.

    Attributes
    ----------
    begin, end : they lie in (begin, end]
    known : the hour from which on this is known; whoever looks at an earlier moment knows nothing of it
    withdrawn : the hour at which others had followed the signal, so that it was the machine; ``NEVER`` if none
    """

    signal: str
    begin: np.datetime64
    end: np.datetime64
    known: np.datetime64
    withdrawn: np.datetime64 = NEVER

    def at(self, times: Hours) -> Flags:
        """Say at which moments it stands."""
        return np.asarray((times >= self.known) & (times < self.withdrawn))


def doubts(health: Health) -> tuple[Doubt, ...]:
    """Return what the health of a machine's sensors says of their readings.

    A fault began before it was seen: six hours before are doubted with it, and of a signal that went apart from
    the others, a day.
    """
    return tuple(
        doubt
        for signal, fault in zip(health.signals, health.fault, strict=True)
        for doubt in (
            *_of(signal, health.hours, fault, (fault > 0) & (fault != APART), _BEFORE_BROKEN),
            *_of(signal, health.hours, fault, fault == APART, _BEFORE_APART),
        )
    )


def _of(signal: str, hours: Hours, fault: NDArray[np.int8], doubted: Flags, before: np.timedelta64) -> Iterator[Doubt]:
    edges = np.flatnonzero(np.diff(doubted, prepend=False, append=False))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        joined = fault[first] == APART and stop < len(hours) and fault[stop] == JOINED
        withdrawn = hours[stop] if joined else NEVER
        yield Doubt(signal, hours[first] - before, hours[stop - 1], hours[first], withdrawn)
