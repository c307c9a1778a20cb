"""Inspected pieces: which rows of a feature table somebody looked at, what was recorded, and what belongs together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import ModelEntry
from models.judging.threshold import stride_of
from models.moment import instants, span
from models.rows import by_machine, machine_rows

MOST_CODES = 100


@dataclass(frozen=True, slots=True)
class Pieces:
    """The inspected rows of a feature table.

    Attributes
    ----------
    rows : their numbers in the table, ascending
    codes : what inspections record, those of what is as it should be first
    good : how many of the codes are
    code : place of each row's code in ``codes``, shape (n_rows,)
    group : number of what each row belongs together with, shape (n_rows,); its own where nothing was asked for
    """

    rows: NDArray[np.intp]
    codes: tuple[str, ...]
    good: int
    code: NDArray[np.intp]
    group: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, entry: ModelEntry, table: FeatureTable, events: pd.DataFrame) -> Self:
        """Find the rows of a table that were inspected.

        An inspection is of the row in whose stride it lies: the machine's last row at or before it. Of several of
        one row the last one counts.

        Parameters
        ----------
        events : table with ``EVENT_COLUMNS``

        Raises
        ------
        NotEnoughDataError
            When no inspection records a code, or all the same one, or more than ``MOST_CODES``.
        """
        found = _recorded(table, _asked(entry, events))
        rows = np.flatnonzero(found != "")
        codes, good = _ordered(entry, found[rows])
        place = {code: number for number, code in enumerate(codes)}
        group = np.arange(len(rows))
        if entry.split == "machine":
            group = np.unique(table.machine[rows].astype(str), return_inverse=True)[1]
        elif entry.split == "group":
            group = _together(table, events, entry.condition.groups)[rows]
        code = np.array([place[each] for each in found[rows]], dtype=np.intp)
        return cls(rows, codes, good, code, group.astype(np.intp))

    def where(self, chosen: NDArray[np.intp]) -> Self:
        """Return some of the pieces; ``rows`` stay those of the table."""
        return type(self)(self.rows[chosen], self.codes, self.good, self.code[chosen], self.group[chosen])

    def labels(self, count: int) -> NDArray[np.int8]:
        """Return the code of each row of a table with ``count`` rows, −1 where nobody looked."""
        labels = np.full(count, -1, np.int8)
        labels[self.rows] = self.code
        return labels


def _asked(entry: ModelEntry, events: pd.DataFrame) -> pd.DataFrame:
    target = entry.target
    chosen = (events["kind"] == target.kind) & (events["code"] != "")
    if target.component:
        chosen &= events["component"] == target.component
    if target.code:
        chosen &= events["code"] == target.code
    return events[chosen]


def _recorded(table: FeatureTable, inspections: pd.DataFrame) -> NDArray[np.object_]:
    """Return the code that was recorded of each row, empty where none was."""
    found = np.full(len(table), "", dtype=object)
    rows, stride = machine_rows(table.machine), span(stride_of(table))
    for machine, own in by_machine(inspections.sort_values("time", kind="stable")).items():
        if machine not in rows:
            continue
        mine, when = rows[machine], instants(own["time"])
        place = np.searchsorted(table.time[mine], when, side="right") - 1
        seen = place >= 0
        seen[seen] = when[seen] - table.time[mine][place[seen]] < max(stride, np.timedelta64(1, "us"))
        found[mine.start + place[seen]] = own["code"].to_numpy(object)[seen]
    return found


def _ordered(entry: ModelEntry, recorded: NDArray[np.object_]) -> tuple[tuple[str, ...], int]:
    """Return the codes, good ones first, and how many are good."""
    names, counts = np.unique(recorded.astype(str), return_counts=True)
    if not 2 <= len(names) <= MOST_CODES:
        what = f"all {len(recorded):,} are {str(names[0])!r}" if len(names) == 1 else "there are none"
        if len(names) > MOST_CODES:
            what = f"there are {len(names)} different ones"
        raise NotEnoughDataError(
            f"model '{entry.name}': conditions are learnt from pieces whose inspections record codes, 2 to"
            f" {MOST_CODES} of them; here {what}. Does the target name the right events?"
        )
    asked = entry.condition
    _refuse_unknown(entry, asked.good or asked.watched, names)
    if asked.good:
        good = set(asked.good)
    elif asked.watched:
        good = set(names.tolist()) - set(asked.watched)
    else:
        good = {str(names[np.argmax(counts)])}
    first, last = ([str(name) for name in names if (name in good) is wanted] for wanted in (True, False))
    return (*first, *last), len(first)


def _refuse_unknown(entry: ModelEntry, named: Sequence[str], recorded: NDArray[np.str_]) -> None:
    known = [name for name in named if name in recorded]
    if named and not known:
        raise NotEnoughDataError(
            f"model '{entry.name}': no inspection records {' or '.join(map(repr, named))}; recorded are:"
            f" {', '.join(map(str, recorded[:20]))}"
        )


def _together(table: FeatureTable, events: pd.DataFrame, components: Sequence[str]) -> NDArray[np.intp]:
    """Number the combinations of what was recorded of some components; rows of one combination are one group."""
    inspections = events[(events["kind"] == "inspection") & (events["code"] != "")]
    recorded = [_recorded(table, inspections[inspections["component"] == each]) for each in components]
    joined = np.array(["\0".join(each) for each in zip(*recorded, strict=True)], dtype=object)
    return np.unique(joined.astype(str), return_inverse=True)[1].astype(np.intp)
