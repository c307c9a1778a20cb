"""Ports of this computer for servers of tests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def free_port() -> int:
    """Return a port that nobody listens on."""
    with deserted_port() as port:
        return port


@contextmanager
def deserted_port() -> Iterator[int]:
    """Give a port that nobody listens on, nor can meanwhile."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield int(found.getsockname()[1])
