"""Late readings score again just the windows that they touch, of those that were scored before.

The levels of these windows are recorded anew, as the live version says them now. Alerts stay as they
are: history raises none and ends none, and an open alert's evidence follows with the next window of
its machine. See ``ingest.late`` for how late rows are found.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from features.recipe import MICROSECOND
from features.touched import touched
from features.window import EPOCH, microseconds, moment
from ingest.database import Database
from ingest.errors import AndonError
from ingest.plant import Plant
from ingest.statement import insert_into
from ingest.store import Store
from models.assessment import Assessments
from models.bundle import Bundle
from service.believed import believed
from service.database import late_mark_table
from service.watch import Watch

WINDOWS_AT_ONCE = 100_000
"""Windows, over all machines, that are scored together."""

Spans = dict[tuple[int, int], list[str]]


@dataclass(slots=True)
class Again:
    """What late readings made one model say again.

    Attributes
    ----------
    mark : number of the newest entry of the list of late rows that was looked at
    too_late : of each entry that was looked at, how many rows had come too late to be
    errors : one line for each machine and span that could not be scored; then ``mark`` is that of before
    """

    mark: int = 0
    assessments: list[Assessments] = field(default_factory=list)
    too_late: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def rescore(plant: Plant, store: Store, bundle: Bundle, before: Mapping[str, Watch], mark: int | None) -> Again:
    """Score again what readings touch that came late since an entry of the list of late rows.

    Parameters
    ----------
    before : what the model remembers of each machine
    mark : number of the newest entry that it has looked at; ``None`` if it never looked
    """
    again = Again(store.late.newest())
    mark = again.mark if mark is None else mark
    times: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    running = bundle.recipe.running
    signals = bundle.recipe.all_signals + (() if running is None else running.signals)
    for entry in store.late.after(bundle.entry.machine_class, mark):
        again.too_late[entry.number] = entry.too_late
        for machine, late in entry.times(signals).items():
            times[machine].append(late)
    again.mark = max([again.mark, *again.too_late])
    spans = store.spans(bundle.entry.machine_class)
    together: Spans = defaultdict(list)
    for machine in plant.machines_of(bundle.entry.machine_class):
        if machine in times and machine in before and machine in spans:
            watch, late = before[machine], np.unique(np.concatenate(times[machine]))
            start = int(late[0]) - 1 if watch.since is None else moment(watch.since)
            for span in touched(bundle.recipe, late, moment(spans[machine][0]), start, moment(watch.until)):
                together[span].append(machine)
    for machines, begin, end in _pieces(together, microseconds(bundle.recipe.stride)):
        again.assessments += _assessed(plant, store, bundle, machines, (begin, end), again.errors)
    if again.errors:
        again.mark = mark
    return again


def _assessed(
    plant: Plant, store: Store, bundle: Bundle, machines: Sequence[str], span: tuple[int, int], errors: list[str]
) -> Iterator[Assessments]:
    """Assess machines together; if that fails, one by one, so that one of them does not stop the rest."""
    start, end = (EPOCH + each * MICROSECOND for each in span)
    try:
        said = believed(plant, store, bundle, machines, start, end)
    except AndonError as error:
        if len(machines) == 1:
            errors.append(f"{bundle.entry.name}, late readings of {machines[0]}: {error}")
            return
        for machine in machines:
            yield from _assessed(plant, store, bundle, [machine], span, errors)
        return
    if len(said):
        yield said


def late_mark(connection: Connection, model: str) -> int | None:
    """Return the number of the newest late entry that a model has looked at; ``None`` if it never looked."""
    return connection.execute(select(late_mark_table.c.number).where(late_mark_table.c.model == model)).scalar()


def keep_late_mark(connection: Connection, model: str, number: int) -> None:
    """Remember a mark in place of the one before."""
    statement = insert_into(connection, late_mark_table).values(model=model, number=number)
    connection.execute(statement.on_conflict_do_update(index_elements=["model"], set_={"number": number}))


def forget_late(plant: Plant, store: Store, state: Database) -> None:
    """Take out of the list of late rows what every model of the plant file that ever looked has looked at."""
    named = late_mark_table.c.model.in_([entry.name for entry in plant.models])
    with state.read() as connection:
        oldest = connection.execute(select(func.min(late_mark_table.c.number)).where(named)).scalar()
    if oldest:
        store.late.forget(oldest)


def _pieces(together: Spans, step: int) -> Iterator[tuple[list[str], int, int]]:
    """Cut machines and spans so that a bounded number of windows is scored at once."""
    for (begin, end), machines in sorted(together.items()):
        at_once = max(1, WINDOWS_AT_ONCE * step // (end - begin))
        for first in range(0, len(machines), at_once):
            some = machines[first : first + at_once]
            length = max(1, WINDOWS_AT_ONCE // len(some)) * step
            for start in range(begin, end, length):
                yield some, start, min(start + length, end)
