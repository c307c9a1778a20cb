"""Machines cut into groups that are worked on together."""

from collections.abc import Sequence

MOST_MACHINES = 200
_PER_WORKER = 4
_FEWEST = 16
"""Sensors of a machine are compared with those of eight others, which a small group has to read besides."""


def groups(machines: Sequence[str], workers: int, *, most: int = MOST_MACHINES) -> list[tuple[str, ...]]:
    """Return the machines in groups of about the same size, neighbours together, in their order.

    One worker gets as few groups as may be; several get a few each, so that none waits long for the last.
    What is said of a machine does not depend on its group.

    Parameters
    ----------
    most : machines in a group

    Examples
    --------
    >>> groups(["a", "b", "c"], 1), groups(["a", "b", "c"], 2)
    ([('a', 'b', 'c')], [('a', 'b'), ('c',)])
    """
    if not machines:
        return []
    wanted = 1 if workers == 1 else min(_PER_WORKER * workers, max(workers, len(machines) // _FEWEST))
    size = max(1, min(most, -(-len(machines) // wanted)))
    return [tuple(machines[first : first + size]) for first in range(0, len(machines), size)]
