"""One column that tells the failures alone: exactly, as a copy does, or better than is credible."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.leaks.chance import ERROR, SURE, at_least
from features.leaks.leak import Leak
from features.leaks.seen import Seen

BEYOND = 0.005
"""A failure is told nearly perfectly when all of its rows but this share of comparisons lie beyond healthy ones."""

CREDIBLE = 0.5
"""Share of failures that one honest signal may tell nearly perfectly over the whole horizon."""

BY_CHANCE = 0.05
"""How often a slow signal does so by chance: a few times twice ``BEYOND``, as rows of one failure go together."""

MOST_HEALTHY = 20_000
FEWEST_EVENTS = 5


def copied(seen: Seen) -> Iterator[Leak]:
    """Name columns of which one value, or one limit, tells the label of every row."""
    healthy, before = seen.labels == 0, seen.labels == 1
    episodes = _episodes(seen)
    if len(episodes) < 2 or not healthy.any():
        return
    rows = max(2.0, seen.horizon / seen.stride)
    for place in seen.to_read:
        values = seen.column(place)
        outside, inside = values[healthy], values[before]
        if not (np.isfinite(outside).all() and np.isfinite(inside).all()):
            continue
        above, below = inside.min() > outside.max(), inside.max() < outside.min()
        if not (above or below):
            continue
        two = inside.min() == inside.max() and outside.min() == outside.max()
        if two or rows ** (1 - len(episodes)) * len(seen.to_read) <= ERROR:
            how = "one value" if two else "one limit"
            yield Leak(
                seen.name(place),
                "label copy",
                f"{how} tells the label of all {len(inside):,} rows before {len(episodes)} failures"
                f" from all {len(outside):,} others",
            )


def too_good(seen: Seen) -> Iterator[Leak]:
    """Name columns that alone tell most failures nearly perfectly, in the earlier and in the later half."""
    episodes = _episodes(seen)
    healthy = np.flatnonzero(seen.labels == 0)
    if len(episodes) < FEWEST_EVENTS or not len(healthy):
        return
    if len(healthy) > MOST_HEALTHY:
        healthy = healthy[np.linspace(0, len(healthy) - 1, MOST_HEALTHY).astype(np.intp)]
    episodes.sort(key=lambda rows: int(seen.time[rows[0]]))
    for place in seen.to_read:
        values = seen.column(place)
        areas = _areas(values, healthy, episodes)
        areas = areas[np.isfinite(areas)]
        if len(areas) < FEWEST_EVENTS:
            continue
        for told in (areas, 1 - areas):
            perfect = told >= 1 - BEYOND
            count, of = int(perfect.sum()), len(told)
            sure = at_least(count, of, CREDIBLE) <= SURE
            later = perfect[of // 2 :].mean() > CREDIBLE and perfect[: of // 2].mean() > CREDIBLE
            if sure and later and at_least(count, of, BY_CHANCE) * 2 * len(seen.to_read) <= ERROR:
                yield Leak(
                    seen.name(place),
                    "too good alone",
                    f"it tells {count} of {of} failures nearly perfectly over the whole horizon,"
                    f" area under the curve {told.mean():.3f}, lowest half from {np.quantile(told, 0.25):.3f} on",
                )
                break


def _areas(
    values: NDArray[np.float64], healthy: NDArray[np.intp], episodes: list[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """Return the share of pairs of each failure's rows and healthy rows in which the first is greater.

    NaN where fewer than half of a failure's rows are known.
    """
    known = np.sort(values[healthy][np.isfinite(values[healthy])])
    areas = np.full(len(episodes), np.nan)
    if not len(known):
        return areas
    for number, rows in enumerate(episodes):
        mine = values[rows][np.isfinite(values[rows])]
        if 2 * len(mine) < len(rows) or not len(mine):
            continue
        both = np.searchsorted(known, mine, side="left") + np.searchsorted(known, mine, side="right")
        areas[number] = both.mean() / (2 * len(known))
    return areas


def _episodes(seen: Seen) -> list[NDArray[np.intp]]:
    found = []
    for run in seen.runs:
        rows = np.arange(run.rows.start, run.rows.stop)
        mine = rows[seen.labels[rows] == 1]
        if len(mine):
            found.append(mine)
    return found
