"""What a table of rows could not give, collected as it is found."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.report import Rejection

KEPT = 10_000
_SHOWN = 80


class Rejects:
    """Rejections of one table; all are counted, the first ``KEPT`` are kept.

    Parameters
    ----------
    line_of : gives the line (or row, from 1) in the file of a row of the table
    """

    def __init__(self, line_of: Callable[[int], int] = lambda row: row + 1) -> None:
        self.count = 0
        self.kept: list[Rejection] = []
        self._line_of = line_of

    def add(self, rows: NDArray[np.int64], column: str, values: pa.ChunkedArray | str, reason: str) -> None:
        """Turn these rows, or their cells in one column, away for one reason."""
        self.count += len(rows)
        for row in rows[: max(0, KEPT - len(self.kept))].tolist():
            self.kept.append(Rejection(self._line_of(row), column, shown(values, row), reason))

    def add_line(self, line: int, value: str, reason: str) -> None:
        """Turn a line away that is not even a row."""
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(Rejection(line, "", value[:_SHOWN], reason))


def shown(values: pa.ChunkedArray | str, row: int) -> str:
    """Return a cell as short text, or a text that stands for all cells."""
    if isinstance(values, str):
        return values[:_SHOWN]
    value = values[row].as_py()
    return "" if value is None else str(value)[:_SHOWN]
