"""Work in this process, one unit after the other."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from models.engine.parcel import carried
from models.engine.place import Carrier


class Here:
    """Our own process: a unit that kills its worker kills us, so only one that runs out of memory can be set aside."""

    name = "here"
    lost: tuple[type[BaseException], ...] = (MemoryError,)
    what_is_lost = "memory ran out"
    alone = 1
    workers = 1
    ahead = 1

    def __init__(self) -> None:
        self._executor = _AtOnce()

    def pack(self, work: Callable[..., Any], shared: tuple[Any, ...]) -> Carrier:
        """Return the work itself: nothing is copied."""
        return partial(carried, work, shared)

    def executor(self) -> Executor:
        """Return an executor that does what it is given at once."""
        return self._executor

    def renew(self, broken: Executor) -> None:
        """Go on: there is nothing that could be broken."""

    def check(self, waited: float) -> None:
        """Say nothing: whoever asks is at work."""

    def close(self) -> None:
        """Go on: there is nothing to let go of."""


class _AtOnce(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except MemoryError as error:
            future.set_exception(error)
        return future
