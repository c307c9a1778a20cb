"""A full disk: every request that found no room is counted, and one of them a minute is logged."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

import structlog
from prometheus_client import Counter

LOG_SECONDS = 60.0
"""Clients send the same again and again while there is no room; a line for each would take what room there is."""


class FullDisk:
    """Notes requests that were not carried out for want of room.

    Parameters
    ----------
    counter : counts them
    clock : seconds that only grow
    """

    def __init__(self, counter: Counter, clock: Callable[[], float] = monotonic) -> None:
        self._counter, self._clock = counter, clock
        self._next_line = clock()
        self._untold = 0
        self._lock = Lock()

    def note(self, path: str, why: str) -> None:
        """Count a request, and log it unless another was logged within the minute."""
        self._counter.inc()
        with self._lock:
            self._untold += 1
            if (now := self._clock()) < self._next_line:
                return
            self._next_line, requests, self._untold = now + LOG_SECONDS, self._untold, 0
        structlog.get_logger().warning("disk full", path=path, why=why, requests=requests)
