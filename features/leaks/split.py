"""Rows that stand on both sides of a split, and splits that tear what belongs together."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.column import feature_of, signal_of
from features.leaks.leak import Leak
from features.leaks.seen import Parts, Seen

FEWEST_COLUMNS = 3
SHARE = 0.01
FEWEST_ROWS = 10
COARSE = 0.02
"""Where so many of a machine's different rows come again on it, rows of others are alike by chance, too."""


def torn(seen: Seen) -> Iterator[Leak]:
    """Tell of folds that judge rows which lie among those learnt from, or within a horizon after them."""
    worst: tuple[int, int, int] | None = None
    for number, fold in enumerate(seen.folds, 1):
        count = _within_reach(seen, fold)
        if count and (worst is None or count > worst[0]):
            worst = (count, len(fold.test), number)
    if worst is not None:
        yield Leak(
            "",
            "torn split",
            f"{worst[0]:,} of {worst[1]:,} judged rows of fold {worst[2]} lie on the same machine before or within"
            " one horizon after a row that was learnt from",
        )


def repeated(seen: Seen) -> Iterator[Leak]:
    """Tell of rows that are judged and of which an exact copy was learnt from."""
    signals = [place for place, name in enumerate(seen.table.names) if _of_readings(name)]
    if len(signals) < FEWEST_COLUMNS:
        return
    values = seen.table.values[:, signals]
    keys = pd.util.hash_pandas_object(pd.DataFrame(values), index=False).to_numpy()
    # A machine that stands still repeats itself honestly; only rows that no other row of it repeats count.
    machine = pd.factorize(seen.table.machine)[0]
    rows = pd.DataFrame({"key": keys, "machine": machine})
    own = rows.duplicated(keep=False).to_numpy()
    if (own & ~rows.duplicated().to_numpy()).sum() >= COARSE * len(rows.drop_duplicates()):
        return
    telling = ~own & (np.isfinite(values).sum(axis=1) >= FEWEST_COLUMNS) & _varied(values)
    worst: tuple[int, int, int] | None = None
    for number, fold in enumerate(seen.folds, 1):
        test = fold.test[telling[fold.test]]
        both = int(np.isin(keys[test], keys[fold.train]).sum())
        if both >= FEWEST_ROWS and both >= SHARE * len(fold.test) and (worst is None or both > worst[0]):
            worst = (both, len(fold.test), number)
    if worst is not None:
        yield Leak(
            "",
            "repeated rows",
            f"{worst[0]:,} of {worst[1]:,} judged rows of fold {worst[2]} are copies of rows that were learnt from",
        )


def _within_reach(seen: Seen, fold: Parts) -> int:
    """Count judged rows that come at or before a learnt row's horizon on the same machine, and after its first."""
    last = np.full(len(seen.table), np.iinfo(np.int64).min)
    learnt = np.zeros(len(seen.table), np.bool_)
    learnt[fold.train] = True
    judged = np.zeros(len(seen.table), np.bool_)
    judged[fold.test] = True
    for rows in seen.machines.values():
        if learnt[rows].any():
            last[rows] = seen.time[rows][learnt[rows]].max() + seen.horizon
    return int((judged & (seen.time < last)).sum())


def _of_readings(name: str) -> bool:
    return bool(signal_of(name)) or feature_of(name) not in BY_NAME


def _varied(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of which rows not all known values are zero."""
    return np.nansum(np.abs(values), axis=1) > 0
