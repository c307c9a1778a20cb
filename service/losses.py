"""The losses of a plant, a line or a machine over a span, as the command line and the interface ask for them."""

from datetime import datetime, timedelta

from features.production.plant_ledger import plant_ledger
from ingest.errors import UnknownNameError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_words import nearest
from models.efficiency.losses import Losses, losses_of
from models.efficiency.reliability import Convention

DEFAULT_SPAN = timedelta(days=7)
TOLD_KINDS = ("state", "stop", "count", "order")
"""Kinds of events that a running production keeps telling of."""


def machines_in(plant: Plant, line: str | None, machine: str | None) -> list[str]:
    """Return the machines that are asked for, in the order of the plant file.

    Raises
    ------
    UnknownNameError
        With the nearest name, if there is no such line or machine.
    """
    for noun, name, known in (
        ("line", line, [each.line for each in plant.machines if each.line]),
        ("machine", machine, [each.name for each in plant.machines]),
    ):
        if name is not None and name not in known:
            raise UnknownNameError(f"no {noun} {name!r}; {nearest(name[:200], list(dict.fromkeys(known)))}")
    return [each.name for each in plant.machines if line in (None, each.line) and machine in (None, each.name)]


def losses_between(
    plant: Plant,
    history: History,
    start: datetime,
    stop: datetime,
    *,
    line: str | None = None,
    machine: str | None = None,
    most: int = 10,
    convention: Convention = "classic",
) -> Losses:
    """Return where the time of a plant, a line or a machine went in [start, stop), start < stop.

    Raises
    ------
    UnknownNameError
        If there is no such line or machine.
    """
    ledger = plant_ledger(plant, history, machines_in(plant, line, machine), start, stop)
    return losses_of(plant, ledger, (stop - start) / timedelta(hours=1), most=most, convention=convention)
