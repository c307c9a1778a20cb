"""The characteristics of a plant, as the command line, the interface and the dashboard ask for them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.database import Database
from ingest.errors import UnknownNameError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_characteristic import Characteristic
from ingest.plant_words import nearest
from service.kept_characteristics import KeptCharacteristic, kept_characteristics

if TYPE_CHECKING:
    from models.efficiency.characteristic import Watched

Row = tuple[str, Characteristic, KeptCharacteristic | None]
"""A machine, one of its characteristics, and how that stood when it was looked at last, if it ever was."""


def characteristics_of(plant: Plant) -> Iterator[tuple[str, Characteristic]]:
    """Yield each machine with each of its characteristics, in the order of the plant file."""
    for machine in plant.machines:
        for each in plant.class_of(machine.name).characteristics:
            yield machine.name, each


def standing(plant: Plant, state: Database, machine: str | None = None) -> list[Row]:
    """Return the characteristics of a plant, or of one machine, in the order of the plant file."""
    declared = [(name, each) for name, each in characteristics_of(plant) if machine in (None, name)]
    with state.read() as connection:
        kept = kept_characteristics(connection, list(dict.fromkeys(name for name, _ in declared)))
    return [(name, each, kept.get((name, each.signal))) for name, each in declared]


def characteristic_named(plant: Plant, machine: str, signal: str) -> Characteristic:
    """Return the characteristic of a machine of the plant.

    Raises
    ------
    UnknownNameError
        With the nearest one, where the signal has no chart.
    """
    known: Mapping[str, Characteristic] = {each.signal: each for each in plant.class_of(machine).characteristics}
    if signal not in known:
        raise UnknownNameError(f"no characteristic {signal!r} of {machine}; {nearest(signal[:200], list(known))}")
    return known[signal]


def look_at(plant: Plant, history: History, state: Database, machine: str, signal: str, until: datetime) -> "Watched":
    """Return how a characteristic of a machine stands; a chart that was learnt before is not learnt again.

    Raises
    ------
    UnknownNameError
        Where the signal has no chart.
    NotEnoughDataError
        Where nothing was read of the machine yet.
    """
    from models.efficiency.characteristic import watched

    asked = characteristic_named(plant, machine, signal)
    with state.read() as connection:
        kept = kept_characteristics(connection, [machine]).get((machine, signal))
    return watched(plant, history, machine, asked, until, {} if kept is None else kept.charts)
