"""Readings that cannot be believed: of which signal, from when to when, and from when on that is known."""

from collections.abc import Iterator, Mapping
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
    withdrawn : the moment from which on it is known to have been the machine, or may have been; ``NEVER`` if none
    """

    signal: str
    begin: np.datetime64
    end: np.datetime64
    known: np.datetime64
    withdrawn: np.datetime64 = NEVER

    def at(self, times: Hours) -> Flags:
        """Say at which moments it stands."""
        return np.asarray((times >= self.known) & (times < self.withdrawn))


def doubts(health: Health, alone: Mapping[str, np.datetime64]) -> tuple[Doubt, ...]:
    """Return what the health of a machine's sensors says of their readings.

    A fault began before it was seen: six hours before are doubted with it, and of a signal that went apart from
    the others, a day.

    Parameters
    ----------
    alone : since when it is known of signals that a machine may move them alone (see ``alone_since``); from then
        on no such signal is doubted for having gone apart
    """
    return tuple(
        doubt
        for signal, fault in zip(health.signals, health.fault, strict=True)
        for doubt in (
            *_of(signal, health.hours, fault, (fault > 0) & (fault != APART), _BEFORE_BROKEN),
            *_of(signal, health.hours, fault, fault == APART, _BEFORE_APART, alone.get(signal, NEVER)),
        )
    )


def _of(
    signal: str,
    hours: Hours,
    fault: NDArray[np.int8],
    doubted: Flags,
    before: np.timedelta64,
    alone: np.datetime64 = NEVER,
) -> Iterator[Doubt]:
    edges = np.flatnonzero(np.diff(doubted, prepend=False, append=False))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        joined = fault[first] == APART and stop < len(hours) and fault[stop] == JOINED
        withdrawn = min(hours[stop] if joined else NEVER, alone)
        if hours[first] < withdrawn:
            yield Doubt(signal, hours[first] - before, hours[stop - 1], hours[first], withdrawn)
