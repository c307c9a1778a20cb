"""The unit in which each signal's history is stored, so that another one in the plant file is noticed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ingest.catalogue import SIGNALS, UNITS, from_microseconds, to_microseconds
from ingest.database import Database
from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.unit import same


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A signal whose unit was another one before ``at``."""

    machine_class: str
    signal: str
    before: str
    unit: str
    at: datetime


class StoredUnits:
    """What was declared of the units in one store; rows are added, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def declared(self) -> dict[tuple[str, str], str]:
        """Return the newest unit of each (class, signal) that was ever declared."""
        with self._database.read() as connection:
            rows = connection.execute(select(UNITS).order_by(UNITS.c.id))
            return {(row.machine_class, row.signal): row.unit for row in rows}

    def read(self) -> set[tuple[str, str]]:
        """Return each (class, signal) that has a history."""
        with self._database.read() as connection:
            return set(map(tuple, connection.execute(select(SIGNALS.c.machine_class, SIGNALS.c.signal))))

    def declare(self, units: Mapping[tuple[str, str], str], at: datetime) -> None:
        """Write down units of (class, signal), those that are new or other than before; no unit says nothing."""
        known = self.declared()
        rows = [
            {"machine_class": key[0], "signal": key[1], "unit": unit, "at": to_microseconds(at)}
            for key, unit in units.items()
            if unit and known.get(key) != unit
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(UNITS.insert(), rows)

    def copy_to(self, other: "StoredUnits") -> None:
        """Write all that was declared down in another store that knows nothing yet."""
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(select(UNITS).order_by(UNITS.c.id)).mappings()]
        if rows:
            with other._database.write() as connection:
                connection.execute(UNITS.insert(), rows)

    def changes(self) -> list[UnitChange]:
        """Return when a signal's unit became another one, oldest first; other words for a unit are no change."""
        found: list[UnitChange] = []
        before: dict[tuple[str, str], str] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(UNITS).order_by(UNITS.c.id)).all()
        for row in rows:
            key = row.machine_class, row.signal
            if key in before and not same(before[key], row.unit):
                found.append(UnitChange(*key, before[key], row.unit, from_microseconds(row.at)))
            before[key] = row.unit
        return found


def declared_units(plant: Plant) -> dict[tuple[str, str], str]:
    """Return the unit of each (class, signal) of a plant file."""
    return {(each.name, signal.name): signal.unit for each in plant.classes for signal in each.signals}


def other_units(plant: Plant, stored: StoredUnits) -> list[str]:
    """Return one line for each signal whose history is stored in another unit than the plant file declares."""
    before, read = stored.declared(), stored.read()
    return [
        f"signal {signal!r} of class {name!r}: its history is in {before[name, signal]!r}, the plant file declares"
        f" {unit!r}; keep unit = {before[name, signal]!r} and write units = {{ {signal} = {unit!r} }} for a source"
        " that delivers the other one, or run 'andon check --relabel' if the history was in the new unit all along"
        for (name, signal), unit in declared_units(plant).items()
        if unit and (name, signal) in read and not same(before.get((name, signal), unit), unit)
    ]


def hold_units(plant: Plant, stored: StoredUnits, at: datetime) -> None:
    """Write down the units that a plant file declares, before anything is stored in them.

    Raises
    ------
    PlantFileError
        When the history of a signal is in another unit: it would be read as what it is not.
    """
    if problems := other_units(plant, stored):
        raise PlantFileError(problems)
    stored.declare(declared_units(plant), at)
