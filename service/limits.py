"""Limits that hold before anything was learnt: those of the plant file, and the vibration zones that it names."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from features.nice_length import nice_length
from features.recipe import Recipe
from features.recipe_for import recipe_for
from features.sampling import signal_intervals
from features.table import FeatureTable
from ingest.database import Database
from ingest.history import History
from ingest.plant import SIGNAL_LIMITS, MachineClass, ModelEntry, Plant
from models.baselines.signal_limits import Beyond, SignalLimits, limits_on
from models.believed import believed_table
from models.declared import declared_limits
from models.finding import Evidence, Finding
from models.moment import as_datetime, instant, instants
from models.rows import by_machine, machine_rows
from service.watch import Turn, turned, watches

FIRST_LOOK = timedelta(days=1)
"""How far back the first round looks; history raises no alerts."""

_ACT_WITHIN = timedelta(days=1)
_SHORTEST = timedelta(hours=1)
_NEVER: NDArray[np.datetime64] = np.empty(0, dtype="datetime64[us]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Hold = Callable[[Connection, str, str, Turn, Finding | None], None]
"""Writes what a turn of a condition comes to: alerts that open, go on and end."""


def watch_limits(plant: Plant, history: History, state: Database, *, at: datetime, hold: Hold) -> int:
    """Look whether the mean of any signal with limits is beyond them, up to ``at``; no model need be trained.

    The mean is over an hour or three readings, whichever is longer; delays are those of all alerts, and
    readings of a sensor that cannot be believed have no say.

    Returns
    -------
    how many conditions last
    """
    lasting = 0
    for machine_class in plant.classes:
        declared = declared_limits(machine_class)
        spans = history.spans(machine_class.name)
        if not declared or not spans:
            continue
        recipe = _recipe(history, machine_class, list(declared))
        with state.read() as connection:
            before = watches(connection, SIGNAL_LIMITS)
        due: dict[datetime, list[str]] = defaultdict(list)
        for machine in plant.machines_of(machine_class.name):
            start = before[machine].until if machine in before else at - FIRST_LOOK
            if machine in spans and start < _last_window_end(min(at, spans[machine][1]), recipe.stride):
                due[start].append(machine)
        for start, machines in due.items():
            until = _last_window_end(at, recipe.stride)
            table = believed_table(recipe, machine_class, history, machines, start, until).table
            # A window that its machine's newest reading does not complete waits for a later round.
            newest = np.array([instant(spans[str(name)][1]) for name in table.machine], dtype="datetime64[us]")
            table = table.where(table.time <= newest)
            rule = limits_on(
                table.names,
                {name: each.limits for name, each in declared.items()},
                {name: each.provenance for name, each in declared.items()},
            )
            if rule is not None and len(table):
                lasting += _turn(plant, history, state, machine_class, rule, table, start=start, hold=hold)
    return lasting


def _turn(
    plant: Plant,
    history: History,
    state: Database,
    machine_class: MachineClass,
    rule: SignalLimits,
    table: FeatureTable,
    *,
    start: datetime,
    hold: Hold,
) -> int:
    said, lasting = rule.assess(table), 0
    rows = machine_rows(table.machine)
    events = history.events(machines=list(rows), kinds=["failure"], start=start, end=as_datetime(table.time.max()))
    failures = {name: np.sort(instants(own["time"])) for name, own in by_machine(events).items()}
    with state.write() as connection:
        before = watches(connection, SIGNAL_LIMITS)
        for machine, mine in rows.items():
            own = said.where(np.r_[mine])
            watch = before.get(machine)
            if watch is not None and watch.until > start:
                continue  # another round was here meanwhile
            turn = turned(watch, own, failures.get(machine, _NEVER), plant.alerts, start)
            finding = None
            if turn.watch.condition.active and turn.watch.begin is not None and turn.newest_over is not None:
                row = table.where(np.array([mine.start + turn.newest_over]))
                finding = _finding(machine_class, machine, rule.worst(row), turn.watch.begin)
            lasting += turn.watch.condition.active
            hold(connection, SIGNAL_LIMITS, machine, turn, finding)
    return lasting


def _finding(machine_class: MachineClass, machine: str, beyond: Beyond, begin: datetime) -> Finding:
    units = {signal.name: signal.unit for signal in machine_class.signals}
    unit = units.get(beyond.signal, "")
    source = f", {beyond.provenance}" if beyond.provenance else ""
    return Finding(
        machine=machine,
        kind="limit",
        cause=f"{beyond.signal} limit",
        model=SIGNAL_LIMITS,
        version="",
        begin=begin,
        end=None,
        level=1.0,
        act_before=begin + _ACT_WITHIN,
        evidence=(
            Evidence(
                signal=beyond.signal,
                unit=unit,
                feature=f"{beyond.window} mean",
                actual=beyond.value,
                expected=beyond.limit,
                share=1.0,
            ),
        ),
        sentence=(
            f"{machine}: {beyond.signal} at {beyond.value:.4g} {unit}".rstrip()
            + f" is {beyond.side} its limit of {beyond.limit:g} {unit}".rstrip()
            + f" ({beyond.window} mean{source})"
        ),
    )


def _recipe(history: History, machine_class: MachineClass, signals: Sequence[str]) -> Recipe:
    """Return how the means are made that limits are held against."""
    sampling: Mapping[str, timedelta] = signal_intervals(history, machine_class)
    steps = [signal.snapshot or sampling[signal.name] for signal in machine_class.signals if signal.name in signals]
    longest = 3 * max(steps)
    waveforms = {signal.name for signal in machine_class.waveforms} & set(signals)
    features = ["mean"] * (len(waveforms) < len(signals)) + ["velocity_rms"] * bool(waveforms)
    entry = ModelEntry(
        name=SIGNAL_LIMITS,
        task="anomaly",
        machine_class=machine_class.name,
        horizon=_ACT_WITHIN,
        windows=[nice_length(max(_SHORTEST, longest), at_least=longest)],
        signals=list(signals),
        features=features,
    )
    return recipe_for(entry, machine_class, sampling=sampling)


def _last_window_end(moment: datetime, stride: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % stride
