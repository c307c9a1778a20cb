"""The health of the sensors of many machines."""

from collections.abc import Sequence
from datetime import datetime

from ingest.errors import AndonError
from ingest.history import History
from ingest.plant import MachineClass
from models.engine.apart import run_apart
from models.engine.engine import Engine
from models.engine.groups import groups
from models.engine.work import WorkUnit
from models.sensors.health import Health, sensor_health


def health_anywhere(
    engine: Engine,
    history: History,
    machine_class: MachineClass,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> tuple[dict[str, Health], dict[str, AndonError]]:
    """Return what ``sensor_health`` returns, and why nothing can be said of some machines."""
    parts = groups(machines, engine.workers, most=max(1, len(machines)))
    units = [_unit(part, start, end) for part in parts]
    found: dict[str, Health] = {}
    errors: dict[str, AndonError] = {}
    for outcome in run_apart(engine, sensor_health, units, _one_by_one, (history, machine_class)):
        if isinstance(outcome.error, AndonError):
            errors |= dict.fromkeys(outcome.unit.arguments[0], outcome.error)
        else:
            found |= outcome.value()
    return found, errors


def _unit(machines: Sequence[str], start: datetime, end: datetime) -> WorkUnit:
    first, *others = machines
    return WorkUnit(f"sensors of {first}{f' and {len(others)} others' if others else ''}", (machines, start, end))


def _one_by_one(unit: WorkUnit) -> list[WorkUnit]:
    machines, start, end = unit.arguments
    return [_unit((machine,), start, end) for machine in machines]
