"""Windows of which was said what readings that came late do not bear out any more: which sensors could be believed."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.engine import Connection

from features.microsecond import microseconds, moment
from ingest.database import Database
from ingest.history import History
from ingest.plant import Plant
from models.assess import unbelieved
from models.assessment import SAID, Reason
from models.bundle import Bundle
from models.sensors.health import sensor_health
from service.database import assessment_table


def believed_otherwise(
    plant: Plant,
    history: History,
    state: Database,
    bundle: Bundle,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> dict[str, list[tuple[int, int]]]:
    """Return of which windows in (start, end] readings tell now that the sensors are what they were not before.

    Those are the windows that say "sensor fault" of sensors that can be believed, or a number that rests on
    one which cannot, and later ones that hold the readings that were left out for it, or were not: spans
    (begin, end] of their ends, in microseconds since 1970, of each machine.
    """
    step, carried = microseconds(bundle.recipe.stride), microseconds(bundle.recipe.lookback)
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
        found[machine] = [(each - step, each + carried) for each in ends[faulty != now].tolist()]
    return found


def _said(connection: Connection, model: str, machine: str, start: datetime, end: datetime) -> dict[datetime, str]:
    """Return the windows in (start, end] of which something was said that the sensors have a part in, and that."""
    query = select(assessment_table.c.time, assessment_table.c.reason).where(
        assessment_table.c.model == model,
        assessment_table.c.machine == machine,
        assessment_table.c.time > start,
        assessment_table.c.time <= end,
        assessment_table.c.reason.in_([*(each.value for each in SAID), Reason.SENSOR_FAULT.value]),
    )
    return dict(map(tuple, connection.execute(query)))
