"""Work in processes of this machine, which stay for the next work."""

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from functools import partial
from typing import Any

from models.engine.parcel import carry, packed
from models.engine.place import Carrier

IDLE_SECONDS = 900.0
"""A process that has had nothing to do for so long ends, and makes room."""


class Processes:
    """Processes that begin empty (none is forked: threads and open databases stay here).

    The death of one ends them all, with all that they had in hand; new ones take over.

    Parameters
    ----------
    workers : how many; as many as this process may use processors when left out
    """

    lost: tuple[type[BaseException], ...] = (BrokenExecutor, MemoryError)
    what_is_lost = "its worker died"
    alone = 2

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self.name = f"processes:{self.workers}"
        self._executor: Executor | None = None

    @property
    def ahead(self) -> int:
        """Twice as many as there are processes, so that none waits for us."""
        return 2 * self.workers

    def pack(self, work: Callable[..., Any], shared: tuple[Any, ...]) -> Carrier:
        """Return what does the work in another process, which unpacks it once."""
        return partial(carry, packed(work, shared))

    def executor(self) -> Executor:
        """Return the processes; they start with the first unit."""
        if self._executor is None:
            from joblib.externals.loky.process_executor import ProcessPoolExecutor

            self._executor = ProcessPoolExecutor(max_workers=self.workers, timeout=IDLE_SECONDS)
        return self._executor

    def renew(self, broken: Executor) -> None:
        """Let go of all processes."""
        if broken is self._executor:
            self._executor = None
            broken.shutdown(wait=False)

    def check(self, waited: float) -> None:
        """Say nothing: a process that dies shows at once."""

    def close(self) -> None:
        """End the processes."""
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None
