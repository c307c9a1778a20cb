"""Columns that move, or are there, only after failures."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.column import signal_of
from features.leaks.leak import Leak
from features.leaks.seen import Seen

FEWEST_EVENTS = 3
ENOUGH_ROWS = 2
MOST_AFTER = 0.5

MOST_OF = 0.8
TAIL = 0.01


def only_after(seen: Seen) -> Iterator[Leak]:
    """Name levels that leave their range, or begin to be there, only within a horizon after failures.

    Columns that need a filled window are left out: after a restart theirs is short. A machine that
    stands still after a failure moves several signals at once, and that is no leak: so rows count only
    where no other signal has left its range.
    """
    after, first = _after(seen)
    if len(first) < FEWEST_EVENTS or not after.any() or after.mean() > MOST_AFTER:
        return
    places = [place for place in seen.to_read if seen.is_level(place)]
    moved = {place: _moved(seen.column(place), after) for place in places}
    signals = {place: signal_of(seen.name(place)) or seen.name(place) for place in places}
    of_signal: dict[str, NDArray[np.bool_]] = {}
    for place, (rows, there) in moved.items():
        if not there:
            of_signal[signals[place]] = of_signal.get(signals[place], np.zeros_like(after)) | rows
    together = sum((rows.astype(np.intp) for rows in of_signal.values()), np.zeros(len(after), np.intp))
    for place, (rows, there) in moved.items():
        own = of_signal.get(signals[place], np.zeros_like(after))
        alone = rows if there else rows & (together - own == 0)
        elsewhere = rows[~after].mean()
        if not alone.any() or elsewhere > TAIL:
            continue
        of = np.array([(alone[mine]).sum() >= ENOUGH_ROWS for mine in first])
        if of.mean() >= MOST_OF and of.sum() >= FEWEST_EVENTS:
            how = "is there" if there else "leaves its usual range, while no other signal does,"
            yield Leak(
                seen.name(place),
                "only after failures",
                f"it {how} soon after {of.sum()} of {len(of)} failures, and in {100 * elsewhere:.2g} % of other rows",
            )


def _moved(values: NDArray[np.float64], after: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], bool]:
    """Return where a column is out of its range, or is there at all if elsewhere it never is, and which of the two."""
    missing = np.isnan(values)
    if missing[~after].mean() >= 1 - TAIL:
        return ~missing, True
    if missing[~after].mean() > MOST_AFTER:
        return np.zeros(len(values), np.bool_), False
    low, high = _range(values[~after & ~missing])
    return (values < low) | (values > high), False


def missing_with_labels(seen: Seen) -> Iterator[Leak]:
    """Name columns that are missing on just those rows whose outcome is unknown."""
    unknown = seen.labels < 0
    if unknown.sum() < 20 or not (~unknown).any():
        return
    for place in seen.to_read:
        missing = np.isnan(seen.column(place))
        if missing[unknown].mean() >= 0.99 and missing[~unknown].mean() <= 0.01:
            yield Leak(
                seen.name(place),
                "missing with labels",
                f"it is missing in {missing[unknown].sum():,} of {unknown.sum():,} rows without an outcome and in"
                f" {missing[~unknown].sum():,} of {(~unknown).sum():,} others",
            )


def _after(seen: Seen) -> tuple[NDArray[np.bool_], list[NDArray[np.intp]]]:
    """Return which rows follow a failure within a horizon, and the first of them for each failure."""
    after = np.zeros(len(seen.table), np.bool_)
    first = []
    begins = seen.targets["begin"].to_numpy("datetime64[us]").astype(np.int64)
    for machine, begin in zip(seen.targets["machine"], begins, strict=True):
        rows = seen.machines.get(str(machine))
        if rows is None:
            continue
        low, high = np.searchsorted(seen.time[rows], [begin, begin + seen.horizon], side="left")
        mine = np.arange(rows.start + low, rows.start + high)
        after[mine] = True
        if len(mine) and low > 0:
            first.append(mine)
    return after, first


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    room = max(0.5 * (high - low), 1e-9 * abs(high))
    return float(low - room), float(high + room)
