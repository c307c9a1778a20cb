"""Which regime each window of a row is in, as its shares of regimes say."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.column import REGIME_SHARE, SEPARATOR
from features.table import FeatureTable

MIXED = "changing"
"""The name of windows in which the regime changes: one reading of another shows in spread and extremes."""

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class WindowRegimes:
    """The regime of each window of some rows.

    Attributes
    ----------
    names : of the regimes; windows that change between them are the last, ``MIXED``
    of_window : for each window, as in names of columns: position among ``names`` of each row, −1 if not known
    """

    names: tuple[str, ...]
    of_window: Mapping[str, NDArray[np.intp]]


def window_regimes(table: FeatureTable) -> WindowRegimes | None:
    """Return which regimes the windows of a table are in; ``None`` if it says nothing of regimes."""
    parts = [name.split(SEPARATOR) for name in table.names]
    windows = dict.fromkeys(words[2] for words in parts if words[0] == REGIME_SHARE and len(words) == 3)
    if not windows:
        return None
    columns = {window: regime_columns_of(table.names, window) for window in windows}
    names = tuple(next(iter(columns.values())))
    of_window = {window: _regime_of(table.values[:, [*of.values()]]) for window, of in columns.items()}
    return WindowRegimes((*names, MIXED), of_window)


def regime_columns_of(names: tuple[str, ...], window: str) -> dict[str, int]:
    """Return for each regime the column with its share of the windows of one length.

    Examples
    --------
    >>> regime_columns_of(("speed__mean__1h", "regime_share__slow__1h", "regime_share__slow__6h"), "6h")
    {'slow': 2}
    """
    parts = {place: name.split(SEPARATOR) for place, name in enumerate(names)}
    return {
        words[1]: place
        for place, words in parts.items()
        if words[0] == REGIME_SHARE and len(words) == 3 and words[2] == window
    }


def _regime_of(shares: NDArray[np.float64]) -> NDArray[np.intp]:
    known = np.all(np.isfinite(shares), axis=1)
    held = np.where(known[:, np.newaxis], shares, 0.0)
    whole, best = held.sum(axis=1), held.argmax(axis=1)
    pure = (whole > 0) & (held.max(axis=1) == whole)
    return np.where(known, np.where(pure, best, shares.shape[1]), UNKNOWN).astype(np.intp)
