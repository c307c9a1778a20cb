"""Silence: which workers have not renewed their lease for its whole length, by a clock that nobody can set.

A worker that goes by the hour on the wall takes runs from workers that are alive when its clock is put
ahead, and leaves those of dead ones alone when it is put back. So each worker watches the heartbeats of
the others itself: one that stays the same for the length of a lease has stopped.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple


class Beat(NamedTuple):
    """The newest sign of life of whoever works on a run; it changes with each claim and each renewal."""

    run: int
    token: int
    lease_until: datetime | None


class Silence:
    """Remembers since when each heartbeat is the same.

    Parameters
    ----------
    lease : a worker that is silent for so long counts as dead

    Examples
    --------
    >>> silence, beat = Silence(timedelta(seconds=2)), Beat(1, 1, None)
    >>> [silence.among([beat], seconds) for seconds in (10.0, 11.9)]
    [[], []]
    >>> silence.among([beat], 12.0)
    [Beat(run=1, token=1, lease_until=None)]
    """

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease.total_seconds()
        self._since: dict[Beat, float] = {}
        self._lock = Lock()

    def among(self, beats: Iterable[Beat], seconds: float) -> list[Beat]:
        """Return the heartbeats that stopped.

        Parameters
        ----------
        beats : the newest of every run that is being worked on; others are forgotten
        seconds : the present, by a clock that only goes ahead
        """
        with self._lock:
            self._since = {beat: self._since.get(beat, seconds) for beat in beats}
            return [beat for beat, since in self._since.items() if seconds - since >= self._lease]
