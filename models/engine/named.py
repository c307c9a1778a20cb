"""Engines by the name that people give them."""

import re

from models.engine.engine import HERE, Engine
from models.engine.place import Place

_PROCESSES = re.compile(r"processes(?::([1-9]\d{0,3}))?", re.ASCII)
_CLUSTER = re.compile(r"(tcp|tls)://[^\s/:@]+:\d{1,5}|(tcp|tls)://\[[0-9A-Fa-f:.]+\]:\d{1,5}", re.ASCII)


def understood(name: str) -> str:
    """Return the name of an engine, if it is one.

    Raises
    ------
    ValueError
        With what would be right.

    Examples
    --------
    >>> understood("processes:4"), understood("tcp://centre:8786")
    ('processes:4', 'tcp://centre:8786')
    """
    if name == "here" or _PROCESSES.fullmatch(name) or _CLUSTER.fullmatch(name):
        return name
    raise ValueError(
        f"{name!r} is no engine; write 'here', 'processes', 'processes:4' for four of them, or the address of a"
        " Dask scheduler such as 'tcp://centre:8786'"
    )


def engine_named(name: str) -> Engine:
    """Return an engine by its name; nothing starts and nobody is called until it is given work.

    Raises
    ------
    ValueError
        When it is no name of an engine.
    """
    understood(name)
    if name == "here":
        return HERE
    return Engine(_place(name))


def _place(name: str) -> Place:
    if found := _PROCESSES.fullmatch(name):
        from models.engine.processes import Processes

        return Processes(int(found[1]) if found[1] else None)
    from models.engine.cluster import Cluster

    return Cluster(name)
