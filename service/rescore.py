"""Late readings score again just the windows that they touch, of those that were scored before.

The levels of these windows are recorded anew, as the live version says them now. Alerts stay as they
are: history raises none and ends none, and an open alert's evidence follows with the next window of
its machine. See ``ingest.late`` for how late rows are found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.microsecond import EPOCH, MICROSECOND, microseconds, moment
from features.touched import reached, touched
from ingest.database import Database
from ingest.errors import AndonError, DamagedError
from ingest.plant import Plant
from ingest.store import Store
from models.assessment import Assessments
from models.believed import believed
from models.bundle import Bundle
from models.sensors.health import REACH
from service.believed_otherwise import believed_otherwise
from service.late_looks import MOST_TRIES, LateLooks, Tries, oldest_mark
from service.watch import Watch

WINDOWS_AT_ONCE = 100_000
"""Windows, over all machines, that are scored together."""

Span = tuple[int, int]
Late = Mapping[str, NDArray[np.int64]]

_Said = TypeVar("_Said")


@dataclass(slots=True)
class Again:
    """What late readings made one model say again.

    Attributes
    ----------
    looks : up to where it has looked now
    too_late : of each entry that was looked at, how many rows had come too late to be
    errors : one line for each machine that could not be scored; the others were
    """

    looks: LateLooks = field(default_factory=LateLooks)
    assessments: list[Assessments] = field(default_factory=list)
    too_late: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Failed:
    spans: list[Span] = field(default_factory=list)
    why: str = ""


def rescore(
    plant: Plant, store: Store, state: Database, bundle: Bundle, before: Mapping[str, Watch], looks: LateLooks
) -> Again:
    """Score again what readings touch that came late since an entry of the list of late rows.

    That is every window that holds one, and every later one of which they tell that a sensor can be believed
    after all, or cannot, or that holds readings of that sensor. What fails is tried again by the next rounds, five
    times in all.

    Parameters
    ----------
    before : what the model remembers of each machine
    looks : up to where it has looked
    """
    again = Again()
    own, every, mark = _late(plant, store, bundle, looks.mark, again)
    spans = store.spans(bundle.entry.machine_class)
    failed: dict[str, _Failed] = defaultdict(_Failed)
    due: dict[str, list[Span]] = defaultdict(list)
    reach: dict[Span, list[str]] = defaultdict(list)
    for machine in plant.machines_of(bundle.entry.machine_class):
        if machine not in before or machine not in spans:
            continue
        watch = before[machine]
        if machine in looks.tries:
            due[machine] += looks.tries[machine].waiting
        if machine in own:
            bounds = _watched(watch, own[machine])
            due[machine] += touched(bundle.recipe, own[machine], moment(spans[machine][0]), *bounds)
        if machine in every:
            for span in reached(bundle.recipe, every[machine], _reach(bundle), *_watched(watch, every[machine])):
                reach[span].append(machine)
    step = microseconds(bundle.recipe.stride)
    for machines, begin, end in _pieces(reach, step):
        ask = partial(believed_otherwise, plant, store, state, bundle)
        for found in _each(ask, machines, (begin, end), failed):
            for machine, spans_of_it in found.items():
                # What nobody has said yet is left to the round that says it.
                last = moment(before[machine].until)
                due[machine] += [(first, min(over, last)) for first, over in spans_of_it]
    together: dict[Span, list[str]] = defaultdict(list)
    for machine, those in due.items():
        for span in _united(those):
            together[span].append(machine)
    for machines, begin, end in _pieces(together, step):
        ask_all = partial(believed, plant, store, bundle)
        again.assessments += [said for said in _each(ask_all, machines, (begin, end), failed) if len(said)]
    again.looks = LateLooks(mark, _tries(looks.tries, failed))
    for machine, each in failed.items():
        vain = f"; given up after {MOST_TRIES} tries" if not again.looks.tries[machine].waiting else ""
        again.errors.append(f"{bundle.entry.name}, late readings of {machine}: {each.why}{vain}")
    return again


def forget_late(plant: Plant, store: Store, state: Database) -> None:
    """Take out of the list of late rows what every model of the plant file that ever looked has looked at."""
    with state.read() as connection:
        oldest = oldest_mark(connection, [entry.name for entry in plant.models])
    if oldest:
        store.late.forget(oldest)


def _late(plant: Plant, store: Store, bundle: Bundle, mark: int | None, again: Again) -> tuple[Late, Late, int]:
    """Return the late times of each machine of signals that the model reads and of any, and the newest entry.

    An entry that is damaged is said, and it and what came after it are left until it has been put aside.
    """
    newest = store.late.newest()
    read = bundle.recipe.read_signals
    every = [signal.name for signal in plant.class_named(bundle.entry.machine_class).signals]
    found: tuple[dict[str, list[NDArray[np.int64]]], ...] = defaultdict(list), defaultdict(list)
    mark = newest if mark is None else mark
    try:
        for entry in store.late.after(bundle.entry.machine_class, mark):
            again.too_late[entry.number] = entry.too_late
            for times, signals in zip(found, (read, every), strict=True):
                for machine, late in entry.times(signals).items():
                    times[machine].append(late)
    except DamagedError as error:
        again.errors.append(f"{bundle.entry.name}: {error}")
        newest = mark
    own, any_of = ({machine: np.unique(np.concatenate(late)) for machine, late in each.items()} for each in found)
    return own, any_of, max([newest, *again.too_late])


def _watched(watch: Watch, late: NDArray[np.int64]) -> Span:
    """Return the time of which a model has said something of a machine, as far as late readings may concern it."""
    return int(late[0]) - 1 if watch.since is None else moment(watch.since), moment(watch.until)


def _reach(bundle: Bundle) -> int:
    """Return for how long after a reading windows may say of its machine that a sensor cannot be believed."""
    return microseconds(REACH + bundle.recipe.windows[0])


def _each(
    ask: Callable[[Sequence[str], datetime, datetime], _Said],
    machines: Sequence[str],
    span: Span,
    failed: dict[str, _Failed],
) -> Iterator[_Said]:
    """Ask of machines together; if that fails, one by one, so that one of them does not stop the rest."""
    try:
        yield ask(machines, *(EPOCH + each * MICROSECOND for each in span))
    except AndonError as error:
        if len(machines) > 1:
            for machine in machines:
                yield from _each(ask, [machine], span, failed)
            return
        failed[machines[0]].spans.append(span)
        failed[machines[0]].why = str(error)


def _tries(before: Mapping[str, Tries], failed: Mapping[str, _Failed]) -> dict[str, Tries]:
    after = {machine: each.done() for machine, each in before.items()}
    after |= {machine: before.get(machine, Tries()).failed(each.spans, each.why) for machine, each in failed.items()}
    return {machine: each for machine, each in after.items() if each != Tries()}


def _united(spans: Sequence[Span]) -> list[Span]:
    """Return spans that cover the same and do not touch each other."""
    united: list[Span] = []
    for begin, end in sorted(spans):
        if united and begin <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((begin, end))
    return united


def _pieces(together: Mapping[Span, list[str]], step: int) -> Iterator[tuple[list[str], int, int]]:
    """Cut machines and spans so that a bounded number of windows is scored at once."""
    for (begin, end), machines in sorted(together.items()):
        at_once = max(1, WINDOWS_AT_ONCE * step // (end - begin))
        for first in range(0, len(machines), at_once):
            some = machines[first : first + at_once]
            length = max(1, WINDOWS_AT_ONCE // len(some)) * step
            for start in range(begin, end, length):
                yield some, start, min(start + length, end)
