"""Whether the units in which a source delivers its signals convert to those that the classes declare."""

from collections.abc import Iterator, Mapping

from ingest.errors import UnitError
from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest
from ingest.unit import conversion


def check_units(draft: Draft, at: Location, units: Mapping[str, str], machine: str = "") -> Iterator[Problem]:
    """Give the units that fit no signal, or do not convert.

    Parameters
    ----------
    at : place of ``units`` in the plant file
    machine : the only one that the source tells of, if there is just one
    """
    only = draft.class_of.get(machine)
    declared = [
        (each.name, signal) for each in draft.classes.values() for signal in each.signals if only in (None, each.name)
    ]
    names = list(dict.fromkeys(signal.name for _, signal in declared))
    for name, unit in units.items():
        if name not in names:
            yield Problem((*at, name), f"no signal {name!r}; {nearest(name, sorted(names))}")
        for machine_class, signal in declared:
            if signal.name == name:
                try:
                    conversion(unit, signal.unit)
                except UnitError as error:
                    yield Problem((*at, name), f"{error} (class {machine_class!r} declares unit = {signal.unit!r})")
