"""Columns that name the machine, or how often it failed."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.leaks.chance import ERROR, of_correlation
from features.leaks.leak import Leak
from features.leaks.seen import STILL, Seen

FEWEST_MACHINES = 3
CLOSE = 1e-6
STRONG = 0.95


def of_machines(seen: Seen) -> Iterator[Leak]:
    """Name columns that never change on a machine and hold its share of failures, or its name."""
    slices = list(seen.machines.values())
    if len(slices) < FEWEST_MACHINES:
        return
    known = seen.labels >= 0
    rows_known = np.array([float(known[rows].sum()) for rows in slices])
    rows_before = np.array([float((seen.labels[rows] == 1).sum()) for rows in slices])
    counts = seen.targets["machine"].value_counts()
    failures = np.array([float(counts.get(machine, 0)) for machine in seen.machines])
    for place in seen.to_read:
        held = _held(seen.column(place), slices)
        if held is None:
            continue
        groups = np.unique(held)
        if len(groups) < 2:
            continue
        told = _mean_of(held, rows_before, rows_known, failures, len(seen.to_read))
        if told:
            yield Leak(seen.name(place), "target mean", f"it never changes on a machine and {told}")
        elif len(groups) == len(slices):
            yield Leak(seen.name(place), "identifier", f"one value for each of {len(slices)} machines, no two alike")


def running_means(seen: Seen) -> Iterator[Leak]:
    """Name columns that are the share of labelled rows so far, the row's own outcome included."""
    known = np.maximum(seen.labels, 0).astype(np.float64)
    slices = list(seen.machines.values())
    sums = np.concatenate([np.cumsum(known[rows]) for rows in slices])
    means = np.concatenate([np.cumsum(known[rows]) / np.arange(1, rows.stop - rows.start + 1) for rows in slices])
    for place in seen.to_read:
        values = seen.column(place)
        finite = np.isfinite(values)
        if 2 * finite.sum() < len(values):
            continue
        for truth, name in ((means, "share"), (sums, "number")):
            if _same_course(values, truth, finite, slices):
                yield Leak(
                    seen.name(place),
                    "target mean",
                    f"it is the {name} of rows before failures so far, each row's own outcome included",
                )
                break


def _same_course(
    values: NDArray[np.float64], truth: NDArray[np.float64], finite: NDArray[np.bool_], slices: list[slice]
) -> bool:
    """Whether a column is a line of the truth on every machine where that varies."""
    seen = 0
    for rows in slices:
        mine, his = values[rows][finite[rows]], truth[rows][finite[rows]]
        if len(mine) < FEWEST_MACHINES or np.ptp(his) == 0:
            continue
        if np.ptp(mine) == 0 or abs(np.corrcoef(mine / np.abs(mine).max(), his)[0, 1]) < 0.999:
            return False
        seen += 1
    return seen >= 2


def _held(values: NDArray[np.float64], slices: list[slice]) -> NDArray[np.float64] | None:
    """Return the one value of each machine; ``None`` when a machine has several or none."""
    held = []
    for rows in slices:
        mine = values[rows]
        mine = mine[np.isfinite(mine)]
        if not len(mine) or np.ptp(mine) > STILL * np.abs(mine).max():
            return None
        held.append(mine[0])
    return np.array(held)


def _mean_of(
    held: NDArray[np.float64],
    before: NDArray[np.float64],
    known: NDArray[np.float64],
    failures: NDArray[np.float64],
    columns: int,
) -> str:
    """Say which mean of the failures the groups of machines hold; empty when none.

    Parameters
    ----------
    held : the column's value of each machine; machines of one value are a group
    before, known : rows before failures, and rows whose outcome is known, of each machine
    failures : how many each had
    """
    group = np.unique(held, return_inverse=True)[1]
    size = np.bincount(group)
    value = np.bincount(group, held) / size
    for above, below, name in (
        (before, known, "the share of rows before failures"),
        (failures, np.ones(len(held)), "the number of failures a machine"),
    ):
        mean = np.bincount(group, above) / np.maximum(np.bincount(group, below), 1.0)
        if np.ptp(mean) == 0:
            continue
        if np.abs(value - mean).max() <= CLOSE * np.abs(mean).max():
            return f"equals {name} of each of {len(value)} groups"
        r = float(np.corrcoef(value, mean)[0, 1])
        if abs(r) >= STRONG and of_correlation(r, len(value)) * columns * 2 <= ERROR:
            return f"correlates with {name} by {r:.3f} over {len(value)} groups"
    return ""
