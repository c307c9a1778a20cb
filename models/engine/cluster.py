"""Work on a Dask cluster: a scheduler, and workers on any number of computers."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cached_property, partial
from typing import Any

from ingest.errors import EngineError
from models.engine.parcel import carry, packed
from models.engine.place import Carrier

CONNECT_SECONDS = 10.0
NOBODY_SECONDS = 60.0
"""How long a cluster may be without any worker; one that died is usually started again within seconds."""


class Cluster:
    """Workers that a Dask scheduler knows.

    The scheduler gives the work of a dead worker to another one, and gives up on it when that happens again
    and again (four times by default); others that the same workers had in hand may be blamed with it.

    Parameters
    ----------
    address : of the scheduler, ``tcp://host:8786`` or ``tls://host:8786``; certificates as Dask's own
        configuration says
    """

    what_is_lost = "all workers that took it died,"
    alone = 2

    def __init__(self, address: str) -> None:
        self.name = address
        self._client: Any = None
        self._executor: Executor | None = None
        self._nobody_since: float | None = None

    @cached_property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What a future raises whose workers died."""
        return (_distributed().KilledWorker, MemoryError)

    @property
    def workers(self) -> int:
        """How many threads all workers have together."""
        return max(1, sum(self._connected().nthreads().values()))

    @property
    def ahead(self) -> int:
        """Twice as many as there are threads, so that none waits for us."""
        return 2 * self.workers

    def pack(self, work: Callable[..., Any], shared: tuple[Any, ...]) -> Carrier:
        """Return what does the work on a worker, which unpacks it once."""
        return partial(carry, packed(work, shared))

    def executor(self) -> Executor:
        """Return the cluster as an executor."""
        client = self._connected()
        if self._executor is None:
            self._executor = _OnWorkers(client)
        return self._executor

    def renew(self, broken: Executor) -> None:
        """Connect anew where the scheduler has gone; it sees to dead workers itself."""
        if broken is self._executor and self._client.status != "running":
            self.close()

    def check(self, waited: float) -> None:
        """Raise ``EngineError`` when there has been no worker for a minute."""
        now = time.monotonic()
        if self._connected().nthreads():
            self._nobody_since = None
        elif self._nobody_since is None or self._nobody_since < now - waited:
            self._nobody_since = now
        elif now - self._nobody_since > NOBODY_SECONDS:
            raise self._nobody()

    def close(self) -> None:
        """Leave the cluster; its workers go on."""
        client, self._client, self._executor = self._client, None, None
        if client is not None:
            client.close()

    def _connected(self) -> Any:
        if self._client is not None:
            return self._client
        distributed = _distributed()
        try:
            client = distributed.Client(self.name, timeout=CONNECT_SECONDS, set_as_default=False, name="andon")
        except (OSError, TimeoutError, ValueError) as error:
            raise EngineError(
                f"{self.name}: no Dask scheduler answers ({error}); start one with 'dask scheduler', or use"
                " --engine processes"
            ) from error
        try:
            client.wait_for_workers(1, timeout=NOBODY_SECONDS)
        except TimeoutError as error:
            client.close()
            raise self._nobody() from error
        self._client = client
        return client

    def _nobody(self) -> EngineError:
        return EngineError(
            f"{self.name}: the Dask scheduler has had no worker for {NOBODY_SECONDS:.0f} s;"
            f" start some with 'dask worker {self.name}'"
        )


class _OnWorkers(Executor):
    """Gives work to a client's workers.

    Dask has such an executor, too, which takes a result for an error where the worker dies that holds it just as it
    is fetched.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        found: Future[Any] = Future()
        # Each unit is given out for itself: an equal one of another run may have seen other readings.
        given = self._client.submit(fn, *args, pure=False, **kwargs)
        found.add_done_callback(lambda own: given.cancel() if own.cancelled() else None)
        given.add_done_callback(partial(_tell, found))
        return found


def _tell(found: Future[Any], given: Any) -> None:
    if not found.set_running_or_notify_cancel():
        return
    try:
        result = given.result()
    except BaseException as error:  # whatever it is, whoever waits has to hear of it
        found.set_exception(error)
    else:
        found.set_result(result)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise EngineError("work on a Dask cluster needs an extra; install it: pip install 'andon[dask]'") from error
    return distributed
