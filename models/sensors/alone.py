"""Signals of which failures have shown that the machine can move them while all others stay as they are.

A bearing shows itself in vibration before anything else warms up; a seal may show itself nowhere but in its own
pressure. Such a signal that departs alone may be a sensor that drifts, but to leave it out would be to miss the next
failure of that kind.
"""

from datetime import timedelta

import numpy as np

from ingest.plant import MachineClass, Target
from ingest.store import History
from models.label import target_events
from models.moment import as_datetime, instants
from models.sensors.health import APART, sensor_health

_BEFORE = timedelta(hours=24)
_FAILURES = 2


def alone_since(history: History, machine_class: MachineClass, machines: list[str]) -> dict[str, np.datetime64]:
    """Return the signals that departed alone within a day before two failures of a class, and since when that is known.

    The moment is that of the second failure.
    """
    failures = target_events(history.events(machines=machines, kinds=["failure"]), Target())
    found: dict[str, list[np.datetime64]] = {}
    for machine, moment in zip(failures["machine"], instants(failures["begin"]), strict=True):
        end = as_datetime(moment)
        health = sensor_health(history, machine_class, [machine], end - _BEFORE, end)[machine]
        for signal, fault in zip(health.signals, health.fault, strict=True):
            if (fault == APART).any():
                found.setdefault(signal, []).append(moment)
    return {signal: sorted(own)[_FAILURES - 1] for signal, own in found.items() if len(own) >= _FAILURES}
