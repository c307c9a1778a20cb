"""Of which files the files of the lake were made, so that what was worked out of their readings stays known.

Merging files changes where readings lie and never what they are. Whoever remembers a result beside the
files that it rests on would have to forget it with each merge, and merges go on as long as readings come.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest.segment import Segment

MOST_PARTS = 1_000
"""Files of which one may be made before they are forgotten: it is taken for a new one then."""


class Part(NamedTuple):
    """A file that is there or was, and from when to when it has readings, in microseconds since 1970."""

    number: int
    path: str
    first: int
    newest: int

    @classmethod
    def of(cls, segment: Segment) -> "Part":
        """Return a segment as a part."""
        return cls(segment.id, segment.path, segment.first, segment.newest)


class Origins:
    """Remembers which files this process made of others; every other file is its own origin.

    Parameters
    ----------
    most : parts that are remembered of one file
    """

    def __init__(self, most: int = MOST_PARTS) -> None:
        self._most = most
        self._parts: dict[Part, tuple[Part, ...]] = {}

    def note(self, made: Sequence[Part], of: Sequence[Part], there: Iterable[Part]) -> None:
        """Note that files were made of others, once these are gone.

        Files of which one was split are new ones: with the same parts, one of them would vouch for another that is
        set aside.

        Parameters
        ----------
        there : all files that there are now
        """
        parts = tuple(dict.fromkeys(part for each in of for part in self._parts.get(each, (each,))))
        if len(made) == 1 and len(parts) <= self._most:
            self._parts = self._parts | {made[0]: parts}
        known = set(there)
        self._parts = {each: own for each, own in self._parts.items() if each in known}

    def touching(self, files: Iterable[Part], first: int, newest: int) -> tuple[Part, ...]:
        """Return the parts that may have readings in [first, newest], of files that are there; always in one order.

        Examples
        --------
        >>> day, night, whole = Part(1, "day", 0, 9), Part(2, "night", 10, 19), Part(3, "whole", 0, 19)
        >>> origins = Origins()
        >>> origins.note([whole], [day, night], [whole])
        >>> [each.path for each in origins.touching([whole], 0, 5)]
        ['day']
        """
        parts = {part for each in files for part in self._parts.get(each, (each,))}
        return tuple(sorted(each for each in parts if each.first <= newest and each.newest >= first))
