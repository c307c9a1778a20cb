"""Where to cut history into files: aligned runs of 1, 2, 4, 8 … days, so that files nest or are apart.

Sparse data shares one file over many days; dense data has files of one UTC day. Because every file
lies in one aligned run of days, two files overlap only where one run holds the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.reading import DAY

FAN_IN = 4
MOST_OF_ALL = 0.6
_TOP = 24


class Piece(Protocol):
    """A file as the tree sees it: how much, from when to when, and how late it arrived."""

    @property
    def rows(self) -> int:
        """Rows in it."""

    @property
    def first(self) -> int:
        """Its first event time, microseconds since 1970."""

    @property
    def newest(self) -> int:
        """Its newest event time, microseconds since 1970."""

    @property
    def sequence(self) -> int:
        """Its newest batch; where rows meet, the higher number wins."""


@dataclass(frozen=True, slots=True)
class Work:
    """Files to rewrite: to merge them into one, or to split one into finer runs of days."""

    pieces: tuple[Piece, ...]
    split: bool


def cut(days: NDArray[np.int64], held: Sequence[Piece], target: int) -> list[tuple[int, int]]:
    """Return runs of days, first and last, in order, that together hold all rows.

    Parameters
    ----------
    days : day (since 1970) of each row, in any order
    held : files that are there already: where they are many, the cut is finer
    target : rows that one file of several days may have
    """
    return cut_counted(*np.unique(days, return_counts=True), held, target)


def cut_counted(
    present: NDArray[np.int64], counts: NDArray[np.int64], held: Sequence[Piece], target: int
) -> list[tuple[int, int]]:
    """Return what ``cut`` does, given the days that are there, ascending, and how many rows each has."""
    return [
        run
        for half in (present < 0, present >= 0)
        if half.any()
        for run in _cut(*_lowest(present[half]), (present[half], counts[half]), held, target)
    ]


def plan(pieces: Sequence[Piece], target: int) -> list[Work]:
    """Return what to rewrite so that no span has many overlapping files, and none many tiny ones.

    Ask again when it is done: what is to be merged shows when all is split.
    """
    work: list[Work] = []
    for half in ([each for each in pieces if each.newest < 0], [each for each in pieces if each.first >= 0]):
        if half:
            days = np.array([[each.first // DAY, each.newest // DAY] for each in half]).ravel()
            work += _plan(*_lowest(days), half, target)
    # Merged with newer ones, a file would win over one between them in age that waits to be split.
    return [each for each in work if each.split] or work


def _lowest(days: NDArray[np.int64]) -> tuple[int, int]:
    """Return (level, index) of the smallest aligned run that holds all these days."""
    low, high = int(days.min()), int(days.max())
    level = next(level for level in range(_TOP) if low >> level == high >> level)
    return level, low >> level


def _cut(
    level: int,
    index: int,
    present: tuple[NDArray[np.int64], NDArray[np.int64]],
    held: Sequence[Piece],
    target: int,
) -> list[tuple[int, int]]:
    days, counts = present
    if len(days) == 0:
        return []
    inside = [each for each in held if _inside(each, level, index)]
    if level == 0 or int(counts.sum()) + sum(each.rows for each in inside) <= target:
        return [(int(days[0]), int(days[-1]))]
    middle = int(np.searchsorted(days, (2 * index + 1) << (level - 1)))
    left, right = (days[:middle], counts[:middle]), (days[middle:], counts[middle:])
    return [
        *_cut(level - 1, 2 * index, left, inside, target),
        *_cut(level - 1, 2 * index + 1, right, inside, target),
    ]


def _plan(level: int, index: int, pieces: Sequence[Piece], target: int) -> list[Work]:
    if level == 0 or sum(each.rows for each in pieces) <= target:
        tail = _tail(pieces)
        return [Work(tail, split=False)] if tail else []
    work: list[Work] = []
    lower: list[list[Piece]] = [[], []]
    for each in pieces:
        side = next((side for side in (0, 1) if _inside(each, level - 1, 2 * index + side)), None)
        if side is None:
            work.append(Work((each,), split=True))
        else:
            lower[side].append(each)
    for side in (0, 1):
        if lower[side]:
            work += _plan(level - 1, 2 * index + side, lower[side], target)
    return work


def _tail(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the newest files that are worth merging: as many as there are of which none is most of all.

    What is left out arrived before what is merged. Each row that is written again comes into a file of at least
    1 / ``MOST_OF_ALL`` times the size, and so is written a number of times that grows with the logarithm of all rows;
    where nothing is worth merging, sizes grow like powers, and files are few.
    """
    ordered = sorted(pieces, key=lambda each: each.sequence, reverse=True)
    rows = np.array([each.rows for each in ordered])
    worth = np.maximum.accumulate(rows) <= MOST_OF_ALL * np.cumsum(rows)
    many = np.flatnonzero(worth[FAN_IN - 1 :])
    return tuple(ordered[: FAN_IN + int(many[-1])]) if len(many) else ()


def _inside(piece: Piece, level: int, index: int) -> bool:
    return piece.first // DAY >> level == index and piece.newest // DAY >> level == index
