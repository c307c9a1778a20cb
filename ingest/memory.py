"""What was made of readings once and need not be made again while those readings stay as they are."""

import dataclasses
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

MOST_BYTES = 256_000_000
_BESIDE = 500
"""About what a key, its edition and their places take."""


class Memory:
    """Keeps results beside the edition of what they were made of; the longest unused go first.

    Parameters
    ----------
    most : how many bytes the results may take together
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def recall(
        self, edition: Hashable, keys: Sequence[Hashable], work: Callable[[Sequence[int]], Sequence[Any]]
    ) -> list[Any]:
        """Return the result of each key; those that are not known of this edition are worked out.

        Parameters
        ----------
        work : given the places of such keys, returns their results
        """
        with self._lock:
            found = [self._find(edition, key) for key in keys]
        missing = [place for place, result in enumerate(found) if result is None]
        if missing:
            for place, result in zip(missing, work(missing), strict=True):
                found[place] = result
            with self._lock:
                for place in missing:
                    self._keep(keys[place], _Kept(edition, found[place], _BESIDE + size_of(found[place])))
        return found

    def _find(self, edition: Hashable, key: Hashable) -> Any:
        kept = self._kept.get(key)
        if kept is None or kept.edition != edition:
            return None
        self._kept.move_to_end(key)
        return kept.result

    def _keep(self, key: Hashable, kept: "_Kept") -> None:
        old = self._kept.pop(key, None)
        self._bytes += kept.bytes - (0 if old is None else old.bytes)
        self._kept[key] = kept
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.bytes


class _Kept(NamedTuple):
    edition: Hashable
    result: Any
    bytes: int


def size_of(result: Any) -> int:
    """Return about how many bytes a result takes: arrays, tables, and what is made of them.

    Examples
    --------
    >>> import numpy as np
    >>> size_of(np.zeros(1_000)), 8_000 < size_of({"a": (np.zeros(1_000), None)}) < 9_000
    (8000, True)
    """
    if hasattr(result, "nbytes"):
        return int(result.nbytes)
    size = sys.getsizeof(result)
    if isinstance(result, Mapping):
        return size + sum(size_of(key) + size_of(each) for key, each in result.items())
    if isinstance(result, tuple | list | set | frozenset):
        return size + sum(map(size_of, result))
    if dataclasses.is_dataclass(result):
        return size + sum(size_of(getattr(result, each.name)) for each in dataclasses.fields(result))
    return size
