"""Columns that move, or are there, only after failures."""

from collections.abc import Iterator
from dataclasses import dataclass

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
    where the same feature of no other signal is unusual, too.
    """
    after, first = _after(seen)
    if len(first) < FEWEST_EVENTS or not after.any() or after.mean() > MOST_AFTER:
        return
    levels = [_Level.of(seen, place, after) for place in seen.to_read if seen.is_level(place)]
    unusual: dict[str, NDArray[np.intp]] = {}
    for level in levels:
        unusual[level.sort] = unusual.get(level.sort, np.zeros(len(after), np.intp)) + level.unusual
    for level in levels:
        alone = level.moved & ((unusual[level.sort] == level.unusual) | level.there_only)
        elsewhere = level.moved[~after].mean()
        if not alone.any() or elsewhere > TAIL:
            continue
        of = np.array([alone[mine].sum() >= ENOUGH_ROWS for mine in first])
        if of.mean() >= MOST_OF and of.sum() >= FEWEST_EVENTS:
            how = "is there" if level.there_only else "leaves its usual range, while no other signal does,"
            yield Leak(
                seen.name(level.place),
                "only after failures",
                f"it {how} soon after {of.sum()} of {len(of)} failures, and in {100 * elsewhere:.2g} % of other rows",
            )


@dataclass(frozen=True, slots=True)
class _Level:
    """A column, and where it is far out of its range (or there at all, if elsewhere it never is) or unusual."""

    place: int
    sort: str
    moved: NDArray[np.bool_]
    unusual: NDArray[np.bool_]
    there_only: bool

    @classmethod
    def of(cls, seen: Seen, place: int, after: NDArray[np.bool_]) -> "_Level":
        values, name = seen.column(place), seen.name(place)
        missing, nowhere = np.isnan(values), np.zeros(len(values), np.bool_)
        sort = name.removeprefix(signal_of(name)) if signal_of(name) else name
        if missing[~after].mean() >= 1 - TAIL:
            return cls(place, sort, ~missing, nowhere, there_only=True)
        if missing[~after].mean() > MOST_AFTER:
            return cls(place, sort, nowhere, nowhere, there_only=False)
        low, high = np.quantile(values[~after & ~missing], [TAIL, 1 - TAIL])
        room = max(0.5 * (high - low), 1e-9 * max(abs(low), abs(high)))
        moved = (values < low - room) | (values > high + room)
        return cls(place, sort, moved, (values < low) | (values > high), there_only=False)


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
