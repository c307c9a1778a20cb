"""Explanations of what was said of many machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ingest.errors import AndonError
from ingest.history import History
from ingest.plant import Plant
from models.believed import explained
from models.bundle import Bundle
from models.engine.apart import run_apart
from models.engine.engine import Engine
from models.engine.groups import groups
from models.engine.work import WorkUnit
from models.explain import Explanation


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be explained of a machine: its level at a window end, and when its condition began."""

    at: datetime
    began: datetime


def explain_anywhere(
    engine: Engine, plant: Plant, history: History, bundle: Bundle, said: Mapping[str, Said]
) -> dict[str, Explanation | AndonError]:
    """Explain what a bundle said of each machine, or say why that cannot be explained."""
    model = bundle.entry.name
    units = [_unit(model, {machine: said[machine] for machine in part}) for part in groups(list(said), engine.workers)]
    outcomes = run_apart(engine, _explained, units, partial(_one_by_one, model), (plant, bundle, history))
    found: dict[str, Explanation | AndonError] = {}
    for outcome in outcomes:
        (own,) = outcome.unit.arguments
        if isinstance(outcome.error, AndonError):
            found |= dict.fromkeys(own, outcome.error)
        else:
            found |= outcome.value()
    return found


def _unit(model: str, said: Mapping[str, Said]) -> WorkUnit:
    first, *others = said
    machines = f"{first} and {len(others)} others" if others else first
    return WorkUnit(f"model '{model}', why {machines}", (said,))


def _one_by_one(model: str, unit: WorkUnit) -> list[WorkUnit]:
    (said,) = unit.arguments
    return [_unit(model, {machine: own}) for machine, own in said.items()]


def _explained(
    plant: Plant, bundle: Bundle, history: History, said: Mapping[str, Said]
) -> dict[str, Explanation | AndonError]:
    found: dict[str, Explanation | AndonError] = {}
    for machine, own in said.items():
        try:
            found[machine] = explained(plant, history, bundle, machine, own.at, began=own.began)
        except AndonError as error:
            found[machine] = error
    return found
