"""Count in the whole file what a sample cannot tell: machines, components, how often something happened."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from ingest.decode.number import NOTHING
from ingest.event import EventKind
from ingest.proposal.machines import labels
from ingest.proposal.sample import scan
from ingest.proposal.table import Table

_MOST_COMPONENTS = 50


@dataclass
class Tally:
    """What a whole file holds.

    Attributes
    ----------
    machines : names, in the order of the file
    components : names of components that events tell of
    events : how many events of a kind each machine has
    """

    machines: dict[str, None] = field(default_factory=dict)
    components: dict[str, None] = field(default_factory=dict)
    events: dict[EventKind, Counter[str]] = field(default_factory=dict)

    def include(self, other: "Tally") -> None:
        """Add what another file holds."""
        self.machines |= other.machines
        self.components |= other.components
        for kind, counts in other.events.items():
            self.events.setdefault(kind, Counter()).update(counts)


def tally(table: Table, machine: str) -> Tally:
    """Read the few columns of a whole file that name machines and mark events, piece by piece.

    Parameters
    ----------
    machine : the machine of all rows, where no column names one
    """
    found = Tally()
    component = next((code.column for code in table.codes if code.component and code.column), None)
    columns = [*table.machine.columns, *(flag.column for flag in table.flags), *([component] if component else [])]
    if not columns and not table.codes:
        found.machines[machine] = None
        return found
    before: dict[tuple[str, str], bool] = {}
    for piece in scan(table.sample, columns or [str(table.sample.frame.columns[0])]):
        machines = labels(piece, table.machine.columns) if table.machine.columns else pd.Series(machine, piece.index)
        found.machines |= dict.fromkeys(machines.dropna().unique())
        for flag in table.flags:
            active = pd.to_numeric(piece[flag.column], errors="coerce").fillna(0) != 0
            for name, states in active.groupby(machines):
                key = (flag.column, str(name))
                begins = states & ~states.shift(fill_value=before.get(key, False))
                before[key] = bool(states.iloc[-1])
                found.events.setdefault(flag.kind, Counter())[str(name)] += int(begins.sum())
        if table.codes:
            counts = machines.dropna().value_counts()
            found.events.setdefault(table.codes[0].kind, Counter()).update(
                {str(name): int(count) for name, count in counts.items()}
            )
        if component:
            words = piece[component].dropna().astype("string").str.strip()
            found.components |= dict.fromkeys(words[~words.isin(NOTHING)].unique())
    if len(found.components) > _MOST_COMPONENTS:
        found.components.clear()
    return found
