"""Complete: which share of the signals has come for a slot, so that nothing is scored on half of the data."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow.compute as pc

from features.sampling import signal_intervals
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Job, MachineClass, Plant


def share_arrived(plant: Plant, history: History, job: Job, slot: datetime) -> float:
    """Return the share, 0 to 1, of the signals of the job's machines that have come for a slot.

    A signal of a machine has come when it was read within its own interval before the slot, or later. Signals of
    machines that stand still or are taken down count, too: that is what the longest wait is for.
    """
    came = asked = 0
    for machine_class in _classes(plant, job):
        machines = plant.machines_of(machine_class.name)
        asked += len(machines) * len(machine_class.slow_signals)
        every = _intervals(history, machine_class, slot)
        if not every:
            continue
        since = slot - max(every.values())
        found = history.read(machine_class.name, machines=machines, signals=list(every), start=since).table
        for signal, interval in every.items():
            new = pc.greater(found["time"], pc.cast(slot - interval, found["time"].type))
            own = found.filter(pc.and_(new, pc.is_valid(found[signal])))
            came += len(pc.unique(own["machine"]))
    return came / asked if asked else 1.0


def _classes(plant: Plant, job: Job) -> Iterator[MachineClass]:
    named = {entry.machine_class for entry in plant.models if not job.models or entry.name in job.models}
    yield from (each for each in plant.classes if each.name in named or not named)


def _intervals(history: History, machine_class: MachineClass, slot: datetime) -> dict[str, timedelta]:
    try:
        every = signal_intervals(history, machine_class, until=slot)
    except NotEnoughDataError:
        return {}
    return {signal.name: every[signal.name] for signal in machine_class.slow_signals}
