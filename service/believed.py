"""Assessments that rest on sensors which could be believed; others say so in place of a number."""

from collections.abc import Sequence
from datetime import datetime

from ingest.plant import Plant
from ingest.store import History
from models.assess import assess, none_while_unbelieved
from models.assessment import Assessments
from models.bundle import Bundle
from models.moment import as_datetime
from models.rows import machine_rows
from models.sensors.health import sensor_health


def believed(
    plant: Plant, history: History, bundle: Bundle, machines: Sequence[str], start: datetime, end: datetime
) -> Assessments:
    """Assess machines at every window end in (start, end]; a faulty sensor in its shortest window takes the number."""
    said = assess(bundle, history, machines, start, end)
    if not len(said):
        return said
    shortest, machine_class = bundle.recipe.windows[0], plant.class_named(bundle.entry.machine_class)
    heard, last = [*machine_rows(said.machine)], as_datetime(said.time.max())
    health = sensor_health(history, machine_class, heard, start - shortest, last)
    return none_while_unbelieved(said, health, bundle.recipe.signals, shortest)
