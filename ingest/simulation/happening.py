"""Something that happens to one machine in the simulation, before it becomes a row of events."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from ingest.event import Event, EventKind, events_table


@dataclass(frozen=True, slots=True)
class Happening:
    """An event whose times are seconds since 1970 UTC; ``end`` is ``None`` for an instant."""

    kind: EventKind
    time: int
    end: int | None = None
    component: str = ""
    code: str = ""
    value: float | None = None
    note: str = ""

    @property
    def known(self) -> int:
        """When people know all about it: at its end."""
        return self.time if self.end is None else self.end

    def event(self, machine: str, *, until: float = float("inf")) -> Event:
        """Return it as an event of a machine; an end after ``until`` is not known yet."""
        return Event(
            machine=machine,
            kind=self.kind,
            time=moment(self.time),
            end=None if self.end is None or self.end > until else moment(self.end),
            component=self.component,
            code=self.code,
            value=self.value,
            note=self.note,
        )


def moment(second: int) -> datetime:
    """Return a second since 1970 UTC as a time."""
    return datetime.fromtimestamp(second, UTC)


def happened(machine: str, happenings: Iterable[Happening], until: int) -> pd.DataFrame:
    """Return as events what had begun before ``until``, with the ends that were known by then."""
    return events_table(each.event(machine, until=until) for each in happenings if each.time < until)
