"""Features that know the future: a table and its labels are looked at before a model learns from them.

A leak makes a model look good on the past and fail in use, and no backtest shows it, because the leak
is in the past of both parts. So each column is asked for what no honest column shows. Only the clocks
that the product makes itself are not asked: they are reset by events that are over, and tests prove it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.leaks.afterwards import missing_with_labels, only_after
from features.leaks.alone import copied, too_good
from features.leaks.countdown import counts_down, run_lengths, scheduled
from features.leaks.edge import stepped
from features.leaks.future import ahead
from features.leaks.leak import Leak
from features.leaks.machine import of_machines, running_means
from features.leaks.order import calendar, row_numbers
from features.leaks.seen import Parts, Seen
from features.leaks.split import repeated, torn
from features.table import FeatureTable

Check = Callable[[Seen], Iterator[Leak]]

CHECKS: tuple[Check, ...] = (
    torn,
    repeated,
    copied,
    missing_with_labels,
    of_machines,
    running_means,
    row_numbers,
    calendar,
    run_lengths,
    counts_down,
    scheduled,
    ahead,
    stepped,
    only_after,
    too_good,
)
"""Every check, the plainest explanation first: a column is named once, by the first that names it."""


def find_leaks(
    table: FeatureTable,
    labels: NDArray[np.int8],
    targets: pd.DataFrame,
    horizon: timedelta,
    folds: Sequence[Parts] = (),
) -> tuple[Leak, ...]:
    """Return the columns and splits that tell what could not have been known, refused kinds first.

    Thresholds hold for all columns together: with 500 columns and ten failures some column tells the
    failures well by chance, and is not named.

    Parameters
    ----------
    labels : array of shape (n_rows,): 1 a failure begins within the horizon after the row, 0 none does,
        −1 not known
    targets : the failures, with columns ``machine``, ``begin`` and ``end`` (UTC), sorted by the first two
    folds : rows to learn from and rows to be judged on, as they will be used

    Raises
    ------
    ValueError
        When there is not one label for each row.
    """
    if len(labels) != len(table):
        raise ValueError(f"{len(labels)} labels for {len(table)} rows; give one for each row of the table")
    if not len(table):
        return ()
    seen = Seen(table, labels, targets, horizon // timedelta(microseconds=1), folds)
    first: dict[str, Leak] = {}
    splits: list[Leak] = []
    for check in CHECKS:
        for leak in check(seen):
            if not leak.column:
                splits.append(leak)
            elif leak.column not in first:
                first[leak.column] = leak
    return tuple(sorted([*splits, *first.values()], key=lambda leak: not leak.refused))
