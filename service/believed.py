"""Assessments that rest on sensors which could be believed; others say so in place of a number."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.engine import Connection

from features.window import moment
from ingest.database import Database
from ingest.plant import Plant
from ingest.store import History
from models.assess import assess, none_while_unbelieved, unbelieved
from models.assessment import Assessments, Reason
from models.bundle import Bundle
from models.moment import as_datetime
from models.rows import machine_rows
from models.sensors.health import sensor_health
from service.database import assessment_table


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


def believed_otherwise(
    plant: Plant,
    history: History,
    state: Database,
    bundle: Bundle,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> dict[str, list[int]]:
    """Return of which windows in (start, end] readings tell now that the sensors are what they were not before.

    Those are the windows that say "sensor fault" of sensors that can be believed, or a number that rests on
    one which cannot: their ends, in microseconds since 1970, of each machine.
    """
    shortest, machine_class = bundle.recipe.windows[0], plant.class_named(bundle.entry.machine_class)
    with state.read() as connection:
        said = {machine: _said(connection, bundle.entry.name, machine, start, end) for machine in machines}
    heard = [machine for machine in machines if said[machine]]
    health = sensor_health(history, machine_class, heard, start - shortest, end)
    found = {}
    for machine in heard:
        ends = np.array([moment(time) for time in said[machine]], np.int64)
        faulty = np.array([reason == Reason.SENSOR_FAULT.value for reason in said[machine].values()], np.bool_)
        now = unbelieved(ends.view("datetime64[us]"), health[machine], bundle.recipe.signals, shortest)
        found[machine] = ends[faulty != now].tolist()
    return found


def _said(connection: Connection, model: str, machine: str, start: datetime, end: datetime) -> dict[datetime, str]:
    """Return the windows in (start, end] of which something was said that the sensors have a part in, and that."""
    query = select(assessment_table.c.time, assessment_table.c.reason).where(
        assessment_table.c.model == model,
        assessment_table.c.machine == machine,
        assessment_table.c.time > start,
        assessment_table.c.time <= end,
        assessment_table.c.reason.in_([Reason.OK.value, Reason.SENSOR_FAULT.value]),
    )
    return dict(map(tuple, connection.execute(query)))
