"""Sensors that cannot be believed: each becomes an alert about the sensor, over when it can be believed again."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.history import History
from ingest.plant import MachineClass, Plant
from models.anywhere.health import health_anywhere
from models.engine.engine import HERE, Engine
from models.finding import Finding
from models.sensors.health import WORDS, Health
from service.alerts import book
from service.alerts.labels import places_of
from service.lasting import count, end_condition, lasting
from service.watch import Watch, holders, keep_watches, watches

NAME = "sensor health"
"""What stands in place of a model's name in an alert about a sensor."""

_WATCH = ""
"""Under which name it is remembered how far sensors were watched: no model can have it."""

_LOOKS_BACK = timedelta(days=1)
_ACT_WITHIN = timedelta(days=1)


@dataclass(slots=True)
class SensorTurn:
    """What a look at all sensors did: faults that last, alerts that were opened and that are over, and what failed."""

    lasting: int = 0
    raised: int = 0
    over: int = 0
    errors: list[str] = field(default_factory=list)


def watch_sensors(
    plant: Plant, history: History, state: Database, *, at: datetime, engine: Engine = HERE
) -> SensorTurn:
    """Look at the sensors of every machine at its last whole hour up to ``at``.

    An hour that a machine was looked at before is not looked at again. A fault that came and went
    between two looks raises nothing.
    """
    turn = SensorTurn()
    for machine_class in plant.classes:
        with state.read() as connection:
            before = watches(connection, _WATCH)
        due: dict[datetime, list[str]] = defaultdict(list)
        spans = history.spans(machine_class.name)
        for machine in plant.machines_of(machine_class.name):
            if machine in spans:
                hour = _whole_hour(min(at, spans[machine][1]))
                if machine not in before or before[machine].until < hour:
                    due[hour].append(machine)
        for hour, machines in due.items():
            found, failed = health_anywhere(engine, history, machine_class, machines, hour - _LOOKS_BACK, hour)
            if failed and not found:
                raise next(iter(failed.values()))
            turn.errors += [f"sensors of {machine}: {error}" for machine, error in failed.items()]
            with state.write() as connection:
                now = watches(connection, _WATCH)
                # Whoever looked meanwhile looked at this hour or a later one.
                ours = [machine for machine in found if now.get(machine) == before.get(machine)]
                held = lasting(connection, [NAME])
                for machine in ours:
                    own = held.get(machine, {})
                    _hold(connection, plant, machine_class, machine, found[machine], own, turn, hour=hour, at=at)
                keep_watches(connection, _WATCH, dict.fromkeys(ours, Watch(hour)))
    with state.write() as connection:
        _let_go_of_the_gone(connection, plant, turn, at=at)
        turn.lasting = count(lasting(connection, [NAME]))
    return turn


def cause_of(signal: str) -> str:
    """Return what an alert about a signal's sensor is about; a component may be named as the signal is."""
    return f"{signal} sensor"


def _whole_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hold(
    connection: Connection,
    plant: Plant,
    machine_class: MachineClass,
    machine: str,
    health: Health,
    held: Mapping[str, int],
    turn: SensorTurn,
    *,
    hour: datetime,
    at: datetime,
) -> None:
    bad = health.now()
    for signal, (code, since) in bad.items():
        # An alert that a person closed while the fault lasts stays closed.
        if cause_of(signal) not in held:
            finding = _finding(plant, machine_class, machine, signal, code, since)
            latches = finding.kind in plant.alerts.latch
            places = places_of(plant, machine)
            turn.raised += book.raise_alert(connection, finding, at=at, latches=latches, places=places)[1]
    for cause, number in held.items():
        # What a model holds up, because the signal alone departs, ends when that model says so.
        if cause not in map(cause_of, bad) and not holders(connection, number):
            turn.over += end_condition(connection, number, end=hour, at=at)


def _finding(
    plant: Plant, machine_class: MachineClass, machine: str, signal: str, code: str, since: datetime
) -> Finding:
    blind = [each.horizon - each.needed_lead for each in plant.models if each.machine_class == machine_class.name]
    local = since.astimezone(plant.zone)
    return Finding(
        machine=machine,
        kind="sensor fault",
        cause=cause_of(signal),
        model=NAME,
        version="",
        begin=since,
        end=None,
        level=1.0,
        act_before=since + max(timedelta(0), min(blind, default=_ACT_WITHIN)),
        sentence=f"{machine}: the sensor of {signal} cannot be believed since {local:%Y-%m-%d %H:%M}: {WORDS[code]}",
    )


def _let_go_of_the_gone(connection: Connection, plant: Plant, turn: SensorTurn, *, at: datetime) -> None:
    """End alerts about sensors that left the plant file: no look would ever end them."""
    known = {
        (each.name, cause_of(signal.name)) for each in plant.machines for signal in plant.class_of(each.name).signals
    }
    for machine, own in lasting(connection, [NAME]).items():
        for cause, number in own.items():
            if (machine, cause) not in known:
                why = f"{cause} of {machine} is no longer in the plant file"
                turn.over += end_condition(connection, number, end=at, at=at, why=why)
