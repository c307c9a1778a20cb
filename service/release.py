"""Release: an alert's condition is over when nothing holds it up any more."""

from datetime import datetime

from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.plant import SIGNAL_LIMITS, Plant
from models.declared import declared_limits
from service.alerts import book
from service.alerts.alert import AlertState
from service.subjects import model_of
from service.watch import Watch, held, holders, keep_watch

_STANDING = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


def let_go(connection: Connection, number: int, *, end: datetime, at: datetime, why: str = "") -> bool:
    """End an alert's condition, unless another model still sees it; return whether it ended."""
    if holders(connection, number) or book.show(connection, number).state not in _STANDING:
        return False
    book.condition_over(connection, number, at=at, end=end, why=why)
    return True


def release_unwatched(plant: Plant, state: Database, *, at: datetime) -> int:
    """Let go of alerts whose model or machine left the plant file: no round would ever end them.

    Returns
    -------
    how many conditions ended
    """
    with state.read() as connection:
        if not any(why_unwatched(plant, model, machine) for model, machine, _ in held(connection)):
            return 0
    over = 0
    with state.write() as connection:
        for model, machine, watch in held(connection):
            why = why_unwatched(plant, model, machine)
            if why and watch.alert is not None:
                keep_watch(connection, model, machine, Watch(watch.until))
                over += let_go(connection, watch.alert, end=at, at=at, why=why)
    return over


def why_unwatched(plant: Plant, model: str, machine: str) -> str:
    """Return why a model of the past watches a machine no more; empty where it does."""
    classes = {each.name: each.machine_class for each in plant.machines}
    entries = {entry.name: entry.machine_class for entry in plant.models}
    if machine not in classes:
        return f"machine {machine!r} is no longer in the plant file"
    if model == SIGNAL_LIMITS:
        has_limits = bool(declared_limits(plant.class_of(machine)))
        return "" if has_limits else f"class {classes[machine]!r} has no limits in the plant file any more"
    model = model_of(model)
    if model not in entries:
        return f"model {model!r} is no longer in the plant file"
    if entries[model] != classes[machine]:
        return f"model {model!r} no longer watches machine {machine!r}, which is of class {classes[machine]!r} now"
    return ""
