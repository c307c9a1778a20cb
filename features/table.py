"""◆ The feature table: one row per machine and window end, columns that name themselves."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Numbers that summarise what each machine did up to some moments.

    Attributes
    ----------
    machine : array of str objects, shape (n_rows,)
    time : array of datetime64[us] in UTC, shape (n_rows,)
        The window end: row i knows what happened at or before ``time[i]`` and nothing later.
    names : column names, ``signal__feature__window`` such as ``vibration__crest_factor__10min``
    values : float64 array of shape (n_rows, n_names); NaN where a feature cannot be said
    filled : float64 array of shape (n_rows,)
        Share of the shortest window that readings cover, 0 to 1 (best-covered signal).
    off : float64 array of shape (n_rows,), or ``None`` where machines always run
        Share of the shortest window that was left out because the machine was off or settled.
    signals : names of the signals of ``filled_by_signal``
    filled_by_signal : float32 array of shape (n_rows, n_signals), or ``None`` where nobody knows
        Share of the readings of each signal that were expected while the machine ran, over its own window:
        the shortest one that promises enough of them (see ``Recipe.own_windows``). NaN where none was expected.
    beside : a table of the same columns that holds what other machines of the class did at the same moments, or
        ``None`` where this one does

    Rows are sorted by (machine, time).
    """

    machine: NDArray[Any]
    time: NDArray[np.datetime64]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    filled: NDArray[np.float64]
    off: NDArray[np.float64] | None = None
    signals: tuple[str, ...] = ()
    filled_by_signal: NDArray[np.float32] | None = None
    beside: "FeatureTable | None" = None

    def __len__(self) -> int:
        return len(self.time)

    def where(self, rows: NDArray[Any]) -> "FeatureTable":
        """Return the rows of a mask or index."""
        return replace(
            self,
            machine=self.machine[rows],
            time=self.time[rows],
            values=self.values[rows],
            filled=self.filled[rows],
            off=None if self.off is None else self.off[rows],
            filled_by_signal=None if self.filled_by_signal is None else self.filled_by_signal[rows],
        )

    def frame(self) -> pd.DataFrame:
        """Return a DataFrame indexed by (machine, time) for notebooks."""
        index = pd.MultiIndex.from_arrays(
            [self.machine, pd.DatetimeIndex(self.time, tz="UTC")], names=["machine", "time"]
        )
        return pd.DataFrame(self.values, index=index, columns=list(self.names))
