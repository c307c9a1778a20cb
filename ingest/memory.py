"""What was made of readings once and need not be made again while those readings stay as they are."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any

MOST_KEPT = 20_000


class Memory:
    """Keeps results beside the edition of what they were made of; the longest unused go first.

    Parameters
    ----------
    most : how many results are kept
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
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
                    self._kept[keys[place]] = edition, found[place]
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found

    def _find(self, edition: Hashable, key: Hashable) -> Any:
        of, result = self._kept.get(key, (None, None))
        if result is None or of != edition:
            return None
        self._kept.move_to_end(key)
        return result
