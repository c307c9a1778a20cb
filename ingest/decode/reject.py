"""What a table of rows could not give, collected as it is found."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.hint import Hints
from ingest.errors import SourceError
from ingest.report import Rejection
from ingest.turned_away import Why

KEPT = 10_000
MOST_IN_A_BODY = 100_000
"""Rows and cells of one body that may be wrong: to find and name many more takes seconds."""
_SHOWN = 80


class Rejects:
    """Rejections of one table; all are counted, the first ``KEPT`` are kept.

    Parameters
    ----------
    line_of : gives the line (or row, from 1) in the file of a row of the table
    most : how many there may be; ``SourceError`` for more
    """

    def __init__(self, line_of: Callable[[int], int] = lambda row: row + 1, most: float = math.inf) -> None:
        self.count = 0
        self.kept: list[Rejection] = []
        self.cells: list[tuple[NDArray[np.int64], str, Why]] = []
        """Rows of cells that were turned away, their column, and why; all of them."""
        self._line_of = line_of
        self._most = most
        self._hints = Hints()

    def add(
        self,
        rows: NDArray[np.int64],
        column: str,
        values: pa.ChunkedArray | str,
        reason: str,
        why: Why = "no number",
    ) -> None:
        """Turn these rows, or their cells in one column, away for one reason."""
        self.count += len(rows)
        if len(rows):
            self.cells.append((rows, column, why))
        if (room := KEPT - len(self.kept)) > 0:
            kept = rows[:room].tolist()
            self.kept += [Rejection(self._line_of(row), column, shown(values, row), reason) for row in kept]
        self._refuse_many()

    def add_each(self, rows: NDArray[np.int64], column: str, values: Sequence[str], reasons: Sequence[str]) -> None:
        """Turn rows away, each for the reason of its own that stands in its place."""
        self.count += len(rows)
        if len(rows):
            self.cells.append((rows, column, "no number"))
        kept = rows[: max(0, KEPT - len(self.kept))].tolist()
        self.kept += [
            Rejection(self._line_of(row), column, value[:_SHOWN], reason)
            for row, value, reason in zip(kept, values, reasons, strict=False)
        ]
        self._refuse_many()

    def hint(self, name: str, known: Sequence[str]) -> str:
        """Return which known name was meant, for the first few that are asked for."""
        return self._hints.of(name, known)

    def add_line(self, line: int, value: str, reason: str) -> None:
        """Turn a line away that is not even a row."""
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(Rejection(line, "", value[:_SHOWN], reason))
        self._refuse_many()

    def _refuse_many(self) -> None:
        if self.count > self._most:
            first = self.kept[0]
            raise SourceError(
                f"more than {self._most:,} rows and cells are wrong, so nothing was kept; the first: row {first.line},"
                f" {first.reason}; mend that, or send fewer rows at once"
            )


def rows_by_code(codes: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Return the rows of each code from 0 to ``count``, ascending."""
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(count + 1)).tolist()
    return [order[begin:end] for begin, end in pairwise(ends)]


def shown(values: pa.ChunkedArray | str, row: int) -> str:
    """Return a cell as short text, or a text that stands for all cells."""
    if isinstance(values, str):
        return values[:_SHOWN]
    try:
        value = values[row].as_py()
    except OverflowError:  # a time that no calendar of ours has, such as nanoseconds that were called seconds
        value = values[row].value
    return "" if value is None else str(value)[:_SHOWN]
