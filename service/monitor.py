"""One round: newest readings to assessments to findings to alerts, for every live model.

What a round of one model writes, it writes in one transaction. A round that is killed leaves nothing,
and the same round again gives what an undisturbed one would have given. Two rounds at once are safe:
the second one finds that the watches have moved on, and works out its part anew.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from features.microsecond import moment
from ingest.database import Database
from ingest.errors import AndonError, StoreBusyError
from ingest.history import History
from ingest.plant import AlertSettings, ModelEntry, Plant
from ingest.store import Store
from models.anywhere.assess import asks, assess_anywhere
from models.anywhere.explain import Said, explain_anywhere
from models.assessment import Assessments
from models.bundle import Bundle
from models.engine.engine import HERE, Engine
from models.explain import Explanation
from models.finding import Finding
from models.moment import as_datetime, instants
from models.registry.registry import Registry
from models.rows import by_machine, machine_rows
from models.subject import Subject, about_either, about_machine, about_sensor
from service.alerts import book
from service.alerts.labels import Labels, places_of
from service.alerts.pipeline.calling import Calling
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.stopped_lines import keep_stopped_lines
from service.alerts.suppress import suppress_by_design
from service.freshness import stale_machines
from service.late_looks import LateLooks, keep_late_looks, late_looks
from service.limits import watch_limits
from service.release import let_go, release_unwatched
from service.rescore import Again, forget_late, rescore
from service.round_report import RoundReport
from service.sensors import watch_sensors
from service.subjects import finding_of, watch_of
from service.watch import Turn, Watch, keep_assessments, keep_watch, keep_watches, turned, watches

FIRST_LOOK = timedelta(days=7)
"""How far back the first round looks, at least; two horizons if that is longer."""

_ATTEMPTS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Part:
    """What a model's levels are about: turns, and findings where they last, by machine."""

    turns: dict[str, Turn] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """One model's part of a round, worked out and not yet written."""

    assessments: list[Assessments] = field(default_factory=list)
    about: dict[Subject, _Part] = field(default_factory=lambda: {each: _Part() for each in Subject})
    errors: list[str] = field(default_factory=list)
    again: Again = field(default_factory=Again)
    unsaid: dict[str, str] = field(default_factory=dict)
    thin: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class _Tally:
    windows: int = 0
    rescored: int = 0
    too_late: dict[int, int] = field(default_factory=dict)
    findings: int = 0
    raised: int = 0
    over: int = 0
    errors: list[str] = field(default_factory=list)
    unsaid: set[tuple[str, str]] = field(default_factory=set)
    thin: set[tuple[str, str]] = field(default_factory=set)
    latch: Sequence[str] = ()
    places: Callable[[str], Labels] = lambda machine: {}


def round(  # noqa: A001 – a round is what engineers call it
    plant: Plant,
    store: Store,
    registry: Registry,
    state: Database,
    *,
    at: datetime,
    since: datetime | None = None,
    only: Sequence[str] = (),
    engine: Engine = HERE,
) -> RoundReport:
    """Assess every machine up to ``at``, open alerts and end them.

    Parameters
    ----------
    at : windows that end later are not looked at
    since : where the first round of a machine begins; at − max(7 d, 2 × horizon) when left out
    only : names of the models to ask; all when empty
    engine : where machines are assessed; what is written is written here

    Notes
    -----
    History raises no alerts: a condition that began and was over again before the end of the round
    opens none, and windows that are assessed again for late readings open none and end none. Alerts
    whose model or machine left the plant file end, whatever is in ``only``.
    """
    started = time.perf_counter()
    state = Calling(state, Rules(plant, registry.card), at)
    tally = _Tally(
        over=release_unwatched(plant, state, at=at), latch=plant.alerts.latch, places=partial(places_of, plant)
    )
    tally.errors += suppress_by_design(plant, store, state, at=at)
    tally.errors += keep_stopped_lines(plant, store, state, at=at)
    _look_at_sensors(plant, store, state, engine, tally, at=at)
    _look_at_limits(plant, store, state, tally, at=at)
    asked, untrained = [], []
    for entry in plant.models:
        if only and entry.name not in only:
            continue
        if registry.live(entry.name) is None:
            untrained.append(entry.name)
            continue
        asked.append(entry)
        try:
            bundle = registry.load(entry.name)
            _one_model(plant, store, state, bundle, engine, tally, at=at, since=since or _first_look(entry, at))
        except AndonError as error:
            tally.errors.append(f"{entry.name}: {error}")
    forget_late(plant, store, state)
    classes = {entry.machine_class: plant.class_named(entry.machine_class) for entry in asked}
    return RoundReport(
        at=at,
        models=tuple(entry.name for entry in asked),
        untrained=tuple(untrained),
        machines=sum(len(plant.machines_of(name)) for name in classes),
        windows=tally.windows,
        rescored=tally.rescored,
        too_late=sum(tally.too_late.values()),
        findings=tally.findings,
        raised=tally.raised,
        over=tally.over,
        stale=tuple(name for each in classes.values() for name in stale_machines(plant, store, each, at)),
        not_assessed=_machines_by(tally.unsaid),
        thin=_machines_by(tally.thin),
        errors=tuple(tally.errors),
        seconds=time.perf_counter() - started,
    )


def _machines_by(those: Collection[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return for each reason or signal the machines that stand before it."""
    return {
        each: tuple(sorted(machine for machine, what in those if what == each))
        for each in sorted({what for _, what in those})
    }


def _look_at_sensors(
    plant: Plant, store: History, state: Database, engine: Engine, tally: _Tally, *, at: datetime
) -> None:
    try:
        turn = watch_sensors(plant, store, state, at=at, engine=engine)
    except AndonError as error:
        tally.errors.append(f"sensors: {error}")
        return
    tally.errors += turn.errors
    tally.findings += turn.lasting
    tally.raised += turn.raised
    tally.over += turn.over


def _look_at_limits(plant: Plant, store: History, state: Database, tally: _Tally, *, at: datetime) -> None:
    def hold(connection: Connection, model: str, machine: str, turn: Turn, finding: Finding | None) -> None:
        _write_turn(connection, model, machine, turn, finding, tally, at=at)

    try:
        tally.findings += watch_limits(plant, store, state, at=at, hold=hold)
    except AndonError as error:
        tally.errors.append(f"limits: {error}")


def _first_look(entry: ModelEntry, at: datetime) -> datetime:
    return at - max(FIRST_LOOK, 2 * entry.horizon)


def _one_model(
    plant: Plant,
    store: Store,
    state: Database,
    bundle: Bundle,
    engine: Engine,
    tally: _Tally,
    *,
    at: datetime,
    since: datetime,
) -> None:
    model = bundle.entry.name
    for _ in range(_ATTEMPTS):
        with state.read() as connection:
            before, looks = _watched(connection, model), late_looks(connection, model)
        work = _worked_out(plant, store, state, bundle, engine, before, looks, at=at, since=since)
        with state.write() as connection:
            if (_watched(connection, model), late_looks(connection, model)) == (before, looks):
                keep_assessments(connection, work.assessments)
                keep_assessments(connection, work.again.assessments, again=True)
                if work.again.looks != looks:
                    keep_late_looks(connection, model, work.again.looks)
                for subject, part in work.about.items():
                    _write_part(connection, watch_of(model, subject), part, tally, at=at)
                tally.windows += sum(len(each) for each in work.assessments)
                tally.errors += [*work.errors, *work.again.errors]
                tally.rescored += sum(len(each) for each in work.again.assessments)
                tally.too_late |= work.again.too_late
                tally.unsaid |= set(work.unsaid.items())
                tally.thin |= work.thin
                return
    raise StoreBusyError(f"other rounds of model {model!r} go on all the time; let one of them do it")


def _watched(connection: Connection, model: str) -> dict[Subject, dict[str, Watch]]:
    """Return what a model remembers of each subject, by machine."""
    return {subject: watches(connection, watch_of(model, subject)) for subject in Subject}


def _write_part(connection: Connection, watch: str, part: _Part, tally: _Tally, *, at: datetime) -> None:
    news = {name for name, turn in part.turns.items() if turn.ended is not None} | set(part.findings)
    keep_watches(connection, watch, {name: turn.watch for name, turn in part.turns.items() if name not in news})
    for machine in [name for name in part.turns if name in news]:
        _write_turn(connection, watch, machine, part.turns[machine], part.findings.get(machine), tally, at=at)
    tally.findings += sum(turn.watch.condition.active for turn in part.turns.values())


def _worked_out(
    plant: Plant,
    store: Store,
    state: Database,
    bundle: Bundle,
    engine: Engine,
    watched: Mapping[Subject, Mapping[str, Watch]],
    looks: LateLooks,
    *,
    at: datetime,
    since: datetime,
) -> _Work:
    work, before = _Work(), watched[Subject.MACHINE]
    spans = store.spans(bundle.entry.machine_class)
    groups: dict[datetime, dict[str, datetime]] = defaultdict(dict)
    for machine in plant.machines_of(bundle.entry.machine_class):
        start = before[machine].until if machine in before else since
        if machine in spans and start < (end := _last_window_end(min(at, spans[machine][1]), bundle.recipe.stride)):
            groups[start][machine] = end
    # Settled before anything is read, so that whatever is not there to be read will be found late.
    used = {machine: moment(watch.until) for machine, watch in before.items()}
    used |= {machine: moment(end) for ends in groups.values() for machine, end in ends.items()}
    store.late.settle(bundle.entry.machine_class, used, plant.late_within)
    work.again = rescore(plant, store, state, bundle, before, looks)
    together = [ask for start, ends in groups.items() for ask in asks(engine, start, ends, bundle.recipe.stride)]
    work.assessments, failed = assess_anywhere(engine, plant, store, bundle, together)
    work.errors += [f"{bundle.entry.name}, {machine}: {error}" for machine, error in failed.items()]
    failures = _failures(store, bundle, work, before)
    said: dict[str, Assessments] = {}
    for assessments in work.assessments:
        for machine, rows in machine_rows(assessments.machine).items():
            own = said[machine] = assessments.where(np.r_[rows])
            _turn_all(work, watched, machine, own, failures.get(machine, _NEVER), plant.alerts, since)
            if np.isnan(own.level[-1]):
                work.unsaid[machine] = str(own.reason[-1])
            elif (filled := own.where(np.array([-1])).built_from()[0]) is not None:
                work.thin |= {(machine, signal) for signal in filled.thin}
    for subject, part in work.about.items():
        active = {machine: said[machine] for machine, turn in part.turns.items() if turn.watch.condition.active}
        for machine, row, begin, explanation in _explained(
            plant, store, bundle, engine, active, part.turns, work.errors
        ):
            part.findings[machine] = finding_of(plant, bundle, subject, said[machine], row, begin, explanation)
    return work


def _turn_all(
    work: _Work,
    watched: Mapping[Subject, Mapping[str, Watch]],
    machine: str,
    own: Assessments,
    failures: NDArray[np.datetime64],
    settings: AlertSettings,
    since: datetime,
) -> None:
    """Fold new assessments of one machine into what is remembered of each subject."""
    of_machine = turned(watched[Subject.MACHINE].get(machine), about_machine(own), failures, settings, since)
    work.about[Subject.MACHINE].turns[machine] = of_machine
    departs = own.alone is not None and bool((own.alone != "").any())
    for subject, about in (
        (Subject.EITHER, about_either(own, of_machine.lasts)),
        (Subject.SENSOR, about_sensor(own)),
    ):
        if departs or machine in watched[subject]:
            turn = turned(watched[subject].get(machine), about, failures, settings, since)
            work.about[subject].turns[machine] = turn


_NEVER: NDArray[np.datetime64] = np.empty(0, dtype="datetime64[us]")


def _last_window_end(moment: datetime, stride: timedelta) -> datetime:
    """Return the last window end that the readings up to a moment complete.

    A window that ends after a machine's newest reading is left for a later round: its readings may
    only be late, and what was once assessed is not assessed again.
    """
    return moment - (moment - _EPOCH) % stride


def _failures(
    store: History, bundle: Bundle, work: _Work, before: Mapping[str, Watch]
) -> dict[str, NDArray[np.datetime64]]:
    """Return each machine's failures since it was last watched."""
    machines = [str(name) for each in work.assessments for name in machine_rows(each.machine)]
    if not machines:
        return {}
    first = min(as_datetime(each.time.min()) for each in work.assessments)
    starts = [before[machine].until for machine in machines if machine in before]
    start = min([first - bundle.recipe.stride, *starts])
    end = max(as_datetime(each.time.max()) for each in work.assessments)
    events = store.events(machines=machines, kinds=["failure"], start=start, end=end)
    return {machine: np.sort(instants(own["time"])) for machine, own in by_machine(events).items()}


def _explained(
    plant: Plant,
    store: History,
    bundle: Bundle,
    engine: Engine,
    active: Mapping[str, Assessments],
    turns: Mapping[str, Turn],
    errors: list[str],
) -> Iterator[tuple[str, int, datetime, Explanation]]:
    """Yield machine, newest row over the threshold, begin and explanation of each condition that is active."""
    rows, said = {}, {}
    for machine, own in active.items():
        turn = turns[machine]
        if turn.watch.begin is not None and turn.newest_over is not None:
            rows[machine] = turn.newest_over
            said[machine] = Said(as_datetime(own.time[turn.newest_over]), turn.watch.begin)
    for machine, explanation in explain_anywhere(engine, plant, store, bundle, said).items():
        if isinstance(explanation, AndonError):
            errors.append(f"{bundle.entry.name}, {machine}: {explanation}")
        else:
            yield machine, rows[machine], said[machine].began, explanation


def _write_turn(
    connection: Connection,
    model: str,
    machine: str,
    turn: Turn,
    finding: Finding | None,
    tally: _Tally,
    *,
    at: datetime,
) -> None:
    watch = turn.watch
    if turn.ended is not None and watch.alert is not None:
        released, watch = watch.alert, replace(watch, alert=None)
        keep_watch(connection, model, machine, watch)
        tally.over += let_go(connection, released, end=turn.ended, at=at)
    if finding is not None:
        held = None if watch.alert is None else book.show(connection, watch.alert)
        if held is None or held.live:
            same = finding if held is None or held.cause == finding.cause else _in_other_words(finding, held)
            places = tally.places(machine)
            alert, new = book.raise_alert(connection, same, at=at, latches=same.kind in tally.latch, places=places)
            tally.raised += new
            watch = replace(watch, alert=alert.number)
    keep_watch(connection, model, machine, watch)


def _in_other_words(finding: Finding, held: Any) -> Finding:
    """Return the finding as news of an alert that is open for this condition under another cause."""
    return replace(finding, cause=held.cause, sentence=held.sentence, evidence=held.evidence, why=None)
