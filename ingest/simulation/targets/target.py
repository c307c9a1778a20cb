"""The contract of what a made-up plant is played to."""

from collections.abc import Callable
from typing import Protocol, Self
from urllib.parse import SplitResult

from ingest.errors import TargetError
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch


class Target(Protocol):
    """Something that takes a plant's readings; use it as a context, which is when it connects or listens.

    Raises
    ------
    TargetError
        When nobody takes the readings; this may come from every method.
    """

    @property
    def tables(self) -> str:
        """The tables of a plant file that read what is played; empty if none is needed."""

    def send(self, batch: LiveBatch) -> int:
        """Send a batch, and return how many of its readings were taken, once they were."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


Opener = Callable[[SplitResult, Scenario], Target]
"""Makes a target of its address and of the plant that will be played; it does not connect yet."""


def place(address: SplitResult, port: int) -> tuple[str, int]:
    """Return host and port of an address that has nothing else.

    Parameters
    ----------
    port : what is meant when the address has none

    Raises
    ------
    TargetError
        When it has no host, an impossible port, or more than these.
    """
    url = address.geturl()
    try:
        host, given = address.hostname, address.port
    except ValueError as error:
        raise TargetError(f"{url}: {error}") from error
    if not host:
        raise TargetError(f"{url}: names no host; write {address.scheme}://127.0.0.1:{port}")
    if address.path.strip("/") or address.query or address.fragment or address.username is not None:
        raise TargetError(f"{url}: only a host and a port are understood; write {address.scheme}://{host}:{port}")
    return host, given or port
