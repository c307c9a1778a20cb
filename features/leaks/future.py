"""Columns that hold what another column only shows later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.column import signal_of
from features.leaks.chance import ERROR, at_least
from features.leaks.leak import Leak
from features.leaks.seen import Seen, thinned

SAMPLES = 60
MOST_ROWS = 100
"""How many rows ahead a value is looked for."""

FEWEST_COLUMNS = 2
MOST_REPEATED = 20
MOST_COMPARED = 40
CLEARLY = 0.1
"""By how much the source's changes must go better with the rest of the table, in Fisher's z: less is chance."""

SHARE = 0.1
"""A column is named when so many of its sampled values stand in another one later and not before."""


def ahead(seen: Seen) -> Iterator[Leak]:
    """Name columns whose rare values stand in a column of another signal only at later rows.

    Columns of one signal are not compared: the product made them of the same readings. A column that
    lags looks the same from the other side, so the one is named that goes clearly less with the rest of the
    table at equal times, and none where neither does. Numbers that meet by accident do so earlier as often as later.
    """
    rows = _sampled(seen)
    places = np.array([place for place in seen.to_read if _varied(seen.column(place))], dtype=np.intp)
    if not len(rows) or len(places) < FEWEST_COLUMNS:
        return
    found = _Found.of(seen, rows, places)
    for index, place in enumerate(places):
        known, lags, sources = found.elsewhere(index)
        if known < SAMPLES // 3 or len(lags) < SHARE * known:
            continue
        source = np.bincount(sources).argmax()
        lags = lags[sources == source]
        later = int((lags > 0).sum())
        if later < SHARE * known or at_least(later, len(lags), 0.5) * len(places) > ERROR:
            continue
        other = int(places[source])
        ours, its = (_goes_with_rest(seen, *pair, places) for pair in ((int(place), other), (other, int(place))))
        if _z(its) >= _z(ours) + CLEARLY:
            hours = np.median(lags[lags > 0]) * seen.stride / 3.6e9
            yield Leak(
                seen.name(int(place)),
                "future values",
                f"{later} of {known} sampled values stand in {seen.name(other)} only later, by {hours:.3g} h in the"
                " middle",
            )


@dataclass(frozen=True)
class _Found:
    """Where the sampled values stand in the table, sorted by value and row."""

    rows: NDArray[np.intp]
    table: NDArray[np.float64]
    machine: NDArray[np.intp]
    signal: NDArray[np.intp]
    value: NDArray[np.float64]
    at: NDArray[np.intp]
    column: NDArray[np.intp]

    @classmethod
    def of(cls, seen: Seen, rows: NDArray[np.intp], places: NDArray[np.intp]) -> "_Found":
        """Look all values of some rows up in all columns at once."""
        table = seen.table.values[:, places]
        sampled = table[rows]
        at, column = np.nonzero(np.isin(table, np.unique(sampled[np.isfinite(sampled)])))
        value = table[at, column]
        order = np.lexsort((at, value))
        names = [signal_of(seen.name(int(place))) or seen.name(int(place)) for place in places]
        return cls(
            rows, table, _numbers(seen), pd.factorize(np.array(names))[0], value[order], at[order], column[order]
        )

    def elsewhere(self, index: int) -> tuple[int, NDArray[np.intp], NDArray[np.intp]]:
        """Return how many values of a column are known, and where those stand in other signals that stand there once.

        The second and third part are how many rows later, and in which column; what stands at the same
        row in another signal is no news and is left out.
        """
        mine = self.table[self.rows, index]
        low, high = (np.searchsorted(self.value, mine, side=side) for side in ("left", "right"))
        lags, sources = [], []
        for row, begin, end in zip(self.rows, low, high, strict=True):
            lag, column = self.at[begin:end] - row, self.column[begin:end]
            near = (self.machine[self.at[begin:end]] == self.machine[row]) & (np.abs(lag) <= MOST_ROWS)
            here = np.flatnonzero(near & (self.signal[column] != self.signal[index]))
            if not len(here) or (lag[here] == 0).any():
                continue
            nearest = here[np.abs(lag[here]).argmin()]
            # What stands in a column for several rows is remembered there, as an extreme is.
            if (column[here] == column[nearest]).sum() == 1:
                lags.append(int(lag[nearest]))
                sources.append(int(column[nearest]))
        return int(np.isfinite(mine).sum()), np.array(lags, np.intp), np.array(sources, np.intp)


def _z(r: float) -> float:
    """Return Fisher's z of a correlation, whose chance errors are alike for weak and strong ones."""
    return float(np.arctanh(min(r, 1 - 1e-12)))


def _goes_with_rest(seen: Seen, place: int, other: int, places: NDArray[np.intp]) -> float:
    """Return how strongly a column's changes go with those of others at equal times, but for another's signal."""
    own, its = (signal_of(seen.name(each)) or seen.name(each) for each in (place, other))
    named = [(int(each), signal_of(seen.name(int(each))) or seen.name(int(each))) for each in places if each != place]
    strange = [each for each, signal in named if signal not in (own, its)]
    most = min(len(strange), MOST_COMPARED)
    rest = [each for each, signal in named if signal == own]
    rest += [strange[each] for each in np.linspace(0, len(strange) - 1, most).astype(int)]
    if not rest:
        return 0.0
    inner = seen.table.machine[1:] == seen.table.machine[:-1]
    changes = pd.DataFrame(np.diff(seen.table.values[:, [place, *rest]], axis=0)[inner]).rank()
    return float(changes.corrwith(changes[0]).abs().iloc[1:].max())


def _sampled(seen: Seen) -> NDArray[np.intp]:
    """Return rows with time after them, evenly over the table."""
    rows = np.arange(len(seen.table))
    return np.unique(rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLES * 2)).astype(np.intp)])


def _varied(values: NDArray[np.float64]) -> bool:
    """Whether a column seldom repeats itself, so that an equal value elsewhere is no accident."""
    known = thinned(values[np.isfinite(values)], 2_000)
    return len(known) > SAMPLES and MOST_REPEATED * len(np.unique(known)) > len(known)


def _numbers(seen: Seen) -> NDArray[np.intp]:
    numbers = np.zeros(len(seen.table), dtype=np.intp)
    for number, rows in enumerate(seen.machines.values()):
        numbers[rows] = number
    return numbers
