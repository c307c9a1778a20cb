"""How fast each product could be made on a machine, and what an hour and a piece are worth there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.microsecond import microseconds
from ingest.plant import Plant


@dataclass(frozen=True, slots=True)
class Rates:
    """Ideal cycle times on one machine.

    Attributes
    ----------
    ideal : planned run time per item (PRI) of each product in microseconds, 0 where it is not known;
        shape (n_products + 1,), the last for no product
    only : number of the product that is meant where none is named, or the last place
    """

    ideal: NDArray[np.int64]
    only: int

    @classmethod
    def of(cls, plant: Plant, machine: str, products: tuple[str, ...]) -> "Rates":
        """Return the rates of a machine; products that the plant file does not name have none."""
        kind = plant.machine_named(machine).machine_class
        known = {}
        for each in plant.products:
            cycle = each.ideal_cycles.get(machine) or each.ideal_cycles.get(kind) or each.ideal_cycle
            known[each.name] = 0 if cycle is None else microseconds(cycle)
        ideal = np.array([*(known.get(name, 0) for name in products), 0], np.int64)
        return cls(ideal, 0 if len(plant.products) == 1 else len(products))


def hour_value(plant: Plant, machine: str) -> float | None:
    """Return what an hour of running earns on a machine; ``None`` where nobody said."""
    place = plant.machine_named(machine)
    for name in (machine, place.line, place.machine_class):
        if name and name in plant.production.hour_values:
            return plant.production.hour_values[name]
    return plant.production.hour_value
