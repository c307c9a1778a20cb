"""What came out anew: rows of windows that became due, or that were made again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from features.table import FeatureTable


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came out anew.

    Attributes
    ----------
    table : rows as ``extract`` makes them, sorted by (machine, time)
    spans : for each machine, the window ends (begin, end] that were worked out; where the table has no row
        for one of them there is none any more
    """

    table: FeatureTable
    spans: dict[str, tuple[datetime, datetime]]

    def __len__(self) -> int:
        return len(self.table)


def joined(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Return the rows of several tables, sorted by (machine, time)."""
    if len(tables) == 1:
        return tables[0]
    off = [each.off for each in tables if each.off is not None]
    by_signal = [each.filled_by_signal for each in tables if each.filled_by_signal is not None]
    whole = replace(
        tables[0],
        machine=np.concatenate([each.machine for each in tables]),
        time=np.concatenate([each.time for each in tables]),
        values=np.concatenate([each.values for each in tables]),
        filled=np.concatenate([each.filled for each in tables]),
        off=np.concatenate(off) if off else None,
        filled_by_signal=np.concatenate(by_signal) if by_signal else None,
    )
    return whole.where(np.lexsort((whole.time, whole.machine.astype(str))))
