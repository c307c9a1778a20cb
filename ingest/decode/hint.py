"""Names that were meant: for the first few that nobody knows, since each search takes time."""

from collections.abc import Sequence
from difflib import get_close_matches

_SEARCHES = 20
_MOST_COMPARED = 10_000
"""Names, in all searches: to compare one takes 5 to 10 microseconds."""
_LONGEST = 80


class Hints:
    """Looks for names that were meant, until that has taken about a tenth of a second.

    Examples
    --------
    >>> Hints().of("pres-7", ["pump-1", "press-7"])
    "; did you mean 'press-7'?"
    """

    def __init__(self) -> None:
        self._searches = self._compared = 0

    def of(self, name: str, known: Sequence[str]) -> str:
        """Return '; did you mean …?' with the nearest known name; nothing if none is near, or after many searches."""
        self._searches += 1
        self._compared += len(known)
        if self._searches > _SEARCHES or self._compared > _MOST_COMPARED:
            return ""
        near = get_close_matches(name[:_LONGEST], known, 1)
        return f"; did you mean {near[0]!r}?" if near else ""
