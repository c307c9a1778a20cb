"""Grades that are kept: how far each signal could be trusted when it was last graded, to stand beside predictions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.plant import MachineClass, Plant
from ingest.quality.assess import SignalGrade, assess
from ingest.quality.counts import counted
from ingest.quality.fault import FAULTS
from ingest.quality.grade import level_of
from ingest.statement import insert_into
from ingest.store import Store
from models.efficiency.finders.catalogue import FINDERS
from service.database import grade_table
from service.sensors import NAME as SENSORS

GRADED_EVERY = timedelta(days=1)
MACHINES_AT_ONCE = 100
"""So many machines are graded after one round at most; the next round goes on with the others."""


@dataclass(frozen=True, slots=True)
class KeptGrade:
    """The newest grade of one signal of one machine.

    Attributes
    ----------
    at : as of when it was graded
    number : 0 to 100; 100 is without fault
    reasons : codes of the faults, the costliest first
    says : grade and first reason in one line
    """

    machine: str
    signal: str
    at: datetime
    number: int
    reasons: tuple[str, ...]
    says: str

    @property
    def level(self) -> Literal["high", "medium", "low"]:
        """The grade in a word."""
        return level_of(self.number)

    @property
    def reason(self) -> str:
        """Code of the costliest fault; ``ok`` if there is none."""
        return self.reasons[0] if self.reasons else "ok"

    @property
    def remedy(self) -> str:
        """What a person can do about the costliest fault; empty if there is none."""
        kind = FAULTS.get(self.reason)
        return "" if kind is None else kind.remedy


Kept = Mapping[str, KeptGrade]
"""Grades of one machine by signal."""


def grade_class(
    plant: Plant,
    store: Store,
    machine_class: MachineClass,
    *,
    machines: Sequence[str] | None = None,
    until: datetime | None = None,
) -> list[SignalGrade]:
    """Grade machines of a class with all that the store counted of them; see ``assess``."""
    counts = partial(counted, store, machine_class.name)
    return list(assess(store, plant, machine_class, machines=machines, until=until, counts=counts))


def grade_when_due(plant: Plant, store: Store, state: Database, *, at: datetime) -> int:
    """Grade the machines that were not graded for a day before ``at``, and return how many were.

    Only what was there at ``at`` is looked at, and at most ``MACHINES_AT_ONCE`` machines.
    """
    with state.read() as connection:
        before = _graded_at(connection)
    room = MACHINES_AT_ONCE
    for machine_class in plant.classes:
        spans = store.spans(machine_class.name)
        due = [
            name
            for name in plant.machines_of(machine_class.name)
            if name in spans and spans[name][0] <= at and not (name in before and at - before[name] < GRADED_EVERY)
        ][:room]
        if due:
            grades = grade_class(plant, store, machine_class, machines=due, until=at)
            with state.write() as connection:
                keep_grades(connection, grades, at=at)
            room -= len(due)
    return MACHINES_AT_ONCE - room


def keep_grades(connection: Connection, grades: Iterable[SignalGrade], *, at: datetime) -> None:
    """Keep grades as the newest ones, where no newer ones are kept."""
    rows = [
        {
            "machine": each.machine,
            "signal": each.signal,
            "at": at,
            "number": each.grade.number,
            "reasons": list(each.grade.reasons),
            "says": each.grade.sentence(),
        }
        for each in grades
    ]
    if rows:
        statement = insert_into(connection, grade_table)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["machine", "signal"],
            set_={name: new[name] for name in ("at", "number", "reasons", "says")},
            where=grade_table.c.at <= new.at,
        )
        connection.execute(statement, rows)


def kept_grades(state: Database, plant: Plant, machines: Sequence[str]) -> dict[str, Kept]:
    """Return the kept grades of machines, of signals that the plant file still has; none of machines that it lacks."""
    known = {
        each.name: {signal.name for signal in plant.class_named(each.machine_class).signals}
        for each in plant.machines
        if each.name in set(machines)
    }
    found: dict[str, dict[str, KeptGrade]] = {name: {} for name in machines}
    query = select(grade_table)
    if len(machines) <= MACHINES_AT_ONCE:
        query = query.where(grade_table.c.machine.in_(machines))
    with state.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if row.signal in known.get(row.machine, ()):
            kept = KeptGrade(row.machine, row.signal, row.at, row.number, tuple(row.reasons), row.says)
            found[row.machine][row.signal] = kept
    return {**found}


def grade_of_model(plant: Plant, model: str, kept: Kept) -> KeptGrade | None:
    """Return the worst grade of the signals that a model looks at; of all signals if the plant file has it no more."""
    entry = next((each for each in plant.models if each.name == model), None)
    return worst(kept, entry.signals if entry is not None else ())


def grade_of_alert(plant: Plant, model: str, kept: Kept) -> KeptGrade | None:
    """Return the worst grade of the signals that an alert of a model rests on.

    An alert about a sensor has none: it judges readings of the last hours itself, and a grade is of a month. Nor has
    one about a loss, which rests on what machines and meters count.
    """
    return None if model == SENSORS or model in FINDERS else grade_of_model(plant, model, kept)


def worst(kept: Kept, signals: Sequence[str] = ()) -> KeptGrade | None:
    """Return the lowest of the grades of these signals, or of all; ``None`` where nothing is graded."""
    those = [each for name, each in kept.items() if not signals or name in signals]
    return min(those, key=lambda each: (each.number, each.signal), default=None)


def _graded_at(connection: Connection) -> dict[str, datetime]:
    """Return when each machine was last graded."""
    newest = func.max(grade_table.c.at, type_=grade_table.c.at.type)
    query = select(grade_table.c.machine, newest).group_by(grade_table.c.machine)
    return dict(map(tuple, connection.execute(query)))
