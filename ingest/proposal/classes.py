"""Which files tell of the same machines, and which machines are of one kind."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ingest.errors import SourceError
from ingest.event import EventKind
from ingest.proposal.column import FlagColumn, SignalColumn
from ingest.proposal.holding import Holding
from ingest.proposal.machines import labels
from ingest.proposal.table import NO_TIME


@dataclass
class ClassGuess:
    """A class of machines.

    Attributes
    ----------
    holdings : files with readings of these machines
    components : of all files that tell of them
    events : how many events of a kind each of the machines has
    """

    name: str
    holdings: list[Holding]
    machines: list[str]
    components: list[str]
    events: dict[EventKind, Counter[str]]

    @property
    def signals(self) -> list[tuple[SignalColumn, Holding]]:
        """All signals, each with the first file that holds it."""
        found: dict[str, tuple[SignalColumn, Holding]] = {}
        for holding in self.holdings:
            for signal in holding.table.signals:
                found.setdefault(signal.name, (signal, holding))
        return list(found.values())

    @property
    def label(self) -> FlagColumn | None:
        """A column that marks strange behaviour, if there is one."""
        flags = [flag for holding in self.holdings for flag in holding.table.flags if flag.kind == "state"]
        return next((flag for flag in flags if "change" not in flag.column.lower()), None)


def guess_classes(holdings: Sequence[Holding]) -> list[ClassGuess]:
    """Put files of the same machines, or with the same signals, into one class.

    Raises
    ------
    SourceError
        When a column that should name the machines names none.
    """
    groups: list[list[Holding]] = []
    for holding in holdings:
        if not holding.holds_readings:
            continue
        joined = [group for group in groups if any(_akin(holding, each) for each in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(each for group in joined for each in group), holding])
    found = []
    for group in groups:
        machines = list(dict.fromkeys(name for each in group for name in each.tally.machines if name))
        if not machines:
            path, columns = group[0].table.sample.path, "/".join(group[0].table.machine.columns)
            raise SourceError(
                f"{path}: column {columns!r} should name the machines, but is empty; fill it or remove it"
            )
        name = "machine" if len(groups) == 1 else group[0].name
        telling = [each for each in holdings if each in group or not each.holds_readings]
        components = dict.fromkeys(name for each in telling for name in each.tally.components)
        events: dict[EventKind, Counter[str]] = {}
        for each in telling:
            for kind, counts in _within(each, group).items():
                known = {name: count for name, count in counts.items() if name in set(machines)}
                events.setdefault(kind, Counter()).update(known)
        found.append(ClassGuess(name, group, machines, list(components), events))
    return found


def _within(holding: Holding, readings: Sequence[Holding]) -> dict[EventKind, Counter[str]]:
    """Count the events while there are readings; all of them where the sample is not the whole file."""
    table = holding.table
    if not table.codes or not table.sample.whole or not table.machine.columns or table.cycle is not None:
        return holding.tally.events
    ticks = [each.table.ticks[each.table.ticks != NO_TIME] for each in readings]
    first, last = min(each.min() for each in ticks), max(each.max() for each in ticks)
    inside = (table.ticks >= first) & (table.ticks <= last)
    rows = pd.DataFrame({"machine": labels(table.sample.frame, table.machine.columns), "time": table.ticks})
    counts = rows[inside].drop_duplicates().groupby("machine").size()
    return {table.codes[0].kind: Counter({str(name): int(count) for name, count in counts.items()})}


def _akin(one: Holding, other: Holding) -> bool:
    signals = [{signal.name for signal in each.table.signals} for each in (one, other)]
    return signals[0] == signals[1] or not set(one.tally.machines).isdisjoint(other.tally.machines)
