"""The overview: the health of the whole plant at one moment, read from store and state."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from threading import Lock

from sqlalchemy import Integer, func, select, type_coerce

from features.sampling import sampling_interval, signal_intervals
from ingest.duration import parse_duration
from ingest.errors import NotEnoughDataError, RegistryError
from ingest.history import History
from ingest.plant import MachineClass, Plant
from models.registry.registry import Registry
from service.alerts.alert import Alert, AlertState
from service.alerts.book import list_alerts
from service.alerts.mutes import muted, out_of_service
from service.alerts.tables import alert_table
from service.control_room import ControlRoom
from service.delivery.notice import figures as notice_figures
from service.freshness import SignalState, is_stale, newest_readings
from service.health import MachineHealth, machine_healths
from service.jobs.ledger import RunState
from service.jobs.tables import run_table
from service.late_looks import given_up
from service.levels import newest_levels
from service.metrics import Figures
from service.series import newest_values
from service.watchdog.alarms import going_on
from service.watchdog.look import last_look

_OVER = (RunState.DONE.value, RunState.FAILED.value, RunState.SKIPPED.value)


class Sampling:
    """Time between two readings of each machine class and of its signals; found out once, then remembered."""

    def __init__(self) -> None:
        self._known: dict[str, timedelta] = {}
        self._signals: dict[str, dict[str, timedelta]] = {}
        self._lock = Lock()

    def of(self, plant: Plant, history: History) -> dict[str, timedelta]:
        """Return the interval of each class that has readings."""
        with self._lock:
            for machine_class in plant.classes:
                if machine_class.name not in self._known:
                    try:
                        self._known[machine_class.name] = sampling_interval(history, machine_class)
                    except NotEnoughDataError:
                        continue
            return dict(self._known)

    def of_signals(self, machine_class: MachineClass, history: History) -> dict[str, timedelta]:
        """Return the interval of each signal of a class; empty while it has no readings."""
        with self._lock:
            if machine_class.name not in self._signals:
                try:
                    self._signals[machine_class.name] = signal_intervals(history, machine_class)
                except NotEnoughDataError:
                    return {}
            return self._signals[machine_class.name]


def _heard(room: ControlRoom, now: datetime) -> dict[str, datetime]:
    """Return when each machine was last heard; of a reading ahead of the clock, ``now``."""
    return {machine: min(newest, now) for machine, newest in newest_readings(room.plant, room.store).items()}


def plant_health(room: ControlRoom, sampling: Sampling, now: datetime) -> list[MachineHealth]:
    """Return the health of every machine, in the order of the plant file."""
    with room.state.read() as connection:
        alerts = muted(connection, list_alerts(connection), now)
        out = out_of_service(connection, now)
    return machine_healths(
        room.plant.machines,
        newest=_heard(room, now),
        sampling=sampling.of(room.plant, room.store),
        levels=newest_levels(room.state, watched(room.plant), until=now),
        alerts=alerts,
        out_of_service=out,
        stride_of=_strides(room.registry),
        now=now,
    )


def alerts_of_the_plant(room: ControlRoom, now: datetime) -> list[Alert]:
    """Return the open alerts that are of no machine, for whoever reaches the whole plant."""
    with room.state.read() as connection:
        return muted(connection, list_alerts(connection, machine="", machines=room.shown), now)


def machine_health(room: ControlRoom, sampling: Sampling, now: datetime, machine: str) -> MachineHealth:
    """Return the health of one machine of the plant."""
    with room.state.read() as connection:
        alerts = muted(connection, list_alerts(connection, machine=machine), now)
        out = out_of_service(connection, now)
    return machine_healths(
        [room.plant.machine_named(machine)],
        newest=_heard(room, now),
        sampling=sampling.of(room.plant, room.store),
        levels=newest_levels(room.state, watched(room.plant, machine), until=now),
        alerts=alerts,
        out_of_service=out,
        stride_of=_strides(room.registry),
        now=now,
    )[0]


def signal_states(
    room: ControlRoom, sampling: Sampling, now: datetime, machine: str, newest: datetime | None
) -> list[SignalState]:
    """Return the newest value of each signal of a machine and whether it has been silent for too long.

    Parameters
    ----------
    newest : time of the machine's newest reading; ``None`` if it never sent one
    """
    machine_class = room.plant.class_of(machine)
    every = sampling.of_signals(machine_class, room.store)
    values = newest_values(room.store, machine, machine_class, newest)
    states = []
    for signal in machine_class.slow_signals:
        heard, value = values.get(signal.name, (None, None))
        stale = is_stale(heard, every.get(signal.name, timedelta(0)), now)
        states.append(SignalState(signal, heard, value, stale))
    return states


def plant_figures(room: ControlRoom, sampling: Sampling, now: datetime) -> Figures:
    """Return what the metrics say of store and state."""
    ages = {}
    for machine_class in room.plant.classes:
        newest = [newest for _, newest in room.store.spans(machine_class.name).values()]
        if newest:
            ages[machine_class.name] = max(0.0, (now - max(newest)).total_seconds())
    actions = {job.name: job.action for job in room.plant.jobs}
    took = func.sum(type_coerce(run_table.c.ended, Integer) - type_coerce(run_table.c.started, Integer))
    by_job = select(run_table.c.job, run_table.c.state, func.count(), took).group_by(run_table.c.job, run_table.c.state)
    runs: Counter[tuple[str, str]] = Counter()
    rounds, microseconds = 0, 0
    with room.state.read() as connection:
        live = select(func.count()).where(alert_table.c.state != AlertState.NORMAL.value)
        alerts = connection.scalar(live) or 0
        vain = given_up(connection)
        wrong, looked = going_on(connection), last_look(connection)
        notices = notice_figures(connection)
        for job, state, count, length in connection.execute(by_job.where(run_table.c.state.in_(_OVER))):
            action = actions.get(job, "other")
            runs[action, state] += count
            if action == "score" and state == RunState.DONE:
                rounds, microseconds = rounds + count, microseconds + (length or 0)
    healths = plant_health(room, sampling, now)
    return Figures(
        newest_reading_age=ages,
        stale={each.machine.name: each.stale for each in healths},
        machines=Counter(each.health.value for each in healths),
        open_alerts=alerts,
        runs=runs,
        rounds=rounds,
        round_seconds=microseconds / 1e6,
        dead_letters=room.store.dead_letter_counts(),
        late=room.store.late.counts(),
        late_given_up=vain,
        corrections=room.store.corrections.counts(),
        operational_alarms=Counter(each.kind.value for each in wrong),
        watch_age=None if looked is None else max(0.0, (now - looked.at).total_seconds()),
        notices=notices,
        notice_age={
            target: max(0.0, (now - each.oldest).total_seconds()) for target, each in notices.items() if each.oldest
        },
    )


def _strides(registry: Registry) -> Callable[[str, str], timedelta]:
    """Return a function that reads the stride of a version from its card; nothing where there is no such version."""

    @cache
    def stride_of(model: str, version: str) -> timedelta:
        try:
            return parse_duration(registry.card(model, version)["recipe"]["stride"])
        except RegistryError:
            return timedelta(0)

    return stride_of


def watched(plant: Plant, only: str | None = None) -> list[tuple[str, str]]:
    """Return which model of the plant file watches which machine; what is in it no more has no say."""
    return [
        (entry.name, machine)
        for entry in plant.models
        for machine in plant.machines_of(entry.machine_class)
        if only in (None, machine)
    ]
