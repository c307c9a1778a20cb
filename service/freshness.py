"""Freshness: when machines were last heard, and for how long they may be silent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.sampling import sampling_interval
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass, Plant, Signal

STALE_AFTER = timedelta(hours=2)
"""A machine that was silent for longer, and for five of its sampling intervals, is stale."""
STALE_INTERVALS = 5


@dataclass(frozen=True, slots=True)
class SignalState:
    """A signal of one machine, its newest value, and whether it has been silent for too long.

    Attributes
    ----------
    time, value : of the newest reading; ``None`` where there is none in the last 90 days
    stale : whether there is none, or it is longer ago than the signal may be silent
    """

    signal: Signal
    time: datetime | None
    value: float | None
    stale: bool


def newest_readings(plant: Plant, history: History) -> dict[str, datetime]:
    """Return the time of each machine's newest reading; machines without readings are left out."""
    return {
        machine: newest
        for machine_class in plant.classes
        for machine, (_, newest) in history.spans(machine_class.name).items()
    }


def patience(sampling: timedelta) -> timedelta:
    """Return for how long a machine with this time between two readings may be silent."""
    return max(STALE_AFTER, STALE_INTERVALS * sampling)


def is_stale(newest: datetime | None, sampling: timedelta, now: datetime) -> bool:
    """Say whether a machine has been silent for too long, or ever.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> is_stale(noon, timedelta(minutes=1), noon + timedelta(hours=3)), is_stale(None, timedelta(0), noon)
    (True, True)
    >>> is_stale(noon, timedelta(hours=1), noon + timedelta(hours=3))
    False
    """
    return newest is None or now - newest > patience(sampling)


def stale_machines(plant: Plant, store: History, machine_class: MachineClass, at: datetime) -> Iterator[str]:
    """Yield the machines of a class that sent nothing for 2 h and for five sampling intervals."""
    try:
        sampling = sampling_interval(store, machine_class)
    except NotEnoughDataError:
        sampling = timedelta(0)
    newest = {machine: span[1] for machine, span in store.spans(machine_class.name).items()}
    for machine in plant.machines_of(machine_class.name):
        if is_stale(newest.get(machine), sampling, at):
            yield machine
