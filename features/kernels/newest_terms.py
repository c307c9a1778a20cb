"""What the newest windows of a machine are made from, bundled for compiled code."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class HeldRows(NamedTuple):
    """Readings that are held in memory, some of the places of two arrays.

    Attributes
    ----------
    times : in microseconds, ascending
    rows : shape (n_rows, at least n_signals)
    begin, stop : places of the first row that is held and behind the last one
    """

    times: NDArray[np.int64]
    rows: NDArray[np.float64]
    begin: int
    stop: int


class FreshPanes(NamedTuple):
    """Panes that became complete.

    Attributes
    ----------
    since : where the first of them begins, in microseconds
    length : of a pane, in microseconds
    place, stop : places of the first of them and behind the last one among the panes that are held
    """

    since: int
    length: int
    place: int
    stop: int


class Wanted(NamedTuple):
    """Features, and what windows need for them.

    Attributes
    ----------
    columns : formula, -1 for what is made elsewhere; window, window that it is compared with (the same if none),
        and place among the columns; shape (n, 4)
    least : samples that a window needs, shape (n_windows, n_signals)
    expected : samples of a full shortest window, shape (n_signals,)
    """

    columns: NDArray[np.int64]
    least: NDArray[np.float64]
    expected: NDArray[np.float64]
