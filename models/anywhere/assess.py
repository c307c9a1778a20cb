"""Assessments of many machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from ingest.errors import AndonError
from ingest.history import History
from ingest.plant import Plant
from models.assessment import Assessments
from models.believed import believed
from models.bundle import Bundle
from models.engine.apart import run_apart
from models.engine.engine import Engine
from models.engine.groups import MOST_MACHINES, groups
from models.engine.work import WorkUnit
from models.moment import instant

WINDOWS_AT_ONCE = 100_000
"""Windows, over all machines of a unit, whose features are in memory together."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Machines that are to be assessed together.

    Attributes
    ----------
    start : where their windows begin to end, exclusive
    ends : where the windows of each machine cease to end, inclusive
    """

    start: datetime
    ends: Mapping[str, datetime]

    @property
    def name(self) -> str:
        """Which machines, and until when, for people."""
        first, *others = self.ends
        machines = f"{first} and {len(others)} others" if others else first
        return f"{machines}, to {max(self.ends.values()):%Y-%m-%d %H:%M}"


def assess_anywhere(
    engine: Engine, plant: Plant, history: History, bundle: Bundle, asks: Sequence[Ask]
) -> tuple[list[Assessments], dict[str, AndonError]]:
    """Assess machines together; those that fail together are asked one by one, so that one stops no other.

    Returns
    -------
    what was said, in the order of the machines, and why nothing could be said of some
    """
    model = bundle.entry.name
    found: list[Assessments] = []
    errors: dict[str, AndonError] = {}
    units = [_unit(model, ask) for ask in asks]
    for outcome in run_apart(engine, _assessed, units, partial(_one_by_one, model), (plant, bundle, history)):
        (ask,) = outcome.unit.arguments
        if isinstance(outcome.error, AndonError):
            errors |= dict.fromkeys(ask.ends, outcome.error)
        elif len(said := outcome.value()):
            found.append(said)
    return found, errors


def _unit(model: str, ask: Ask) -> WorkUnit:
    return WorkUnit(f"model '{model}', {ask.name}", (ask,))


def _one_by_one(model: str, unit: WorkUnit) -> list[WorkUnit]:
    (ask,) = unit.arguments
    return [_unit(model, Ask(ask.start, {machine: end})) for machine, end in ask.ends.items()]


def asks(engine: Engine, start: datetime, ends: Mapping[str, datetime], stride: timedelta) -> list[Ask]:
    """Cut machines that are to be assessed from the same moment on into what is asked for at once."""
    windows = max(1, (max(ends.values()) - start) // stride)
    most = max(1, min(MOST_MACHINES, WINDOWS_AT_ONCE // windows))
    return [
        Ask(start, {machine: ends[machine] for machine in part})
        for part in groups(list(ends), engine.workers, most=most)
    ]


def _assessed(plant: Plant, bundle: Bundle, history: History, ask: Ask) -> Assessments:
    """Assess some machines, each up to its own end."""
    said = [
        believed(plant, history, bundle, list(ask.ends), begin, end)
        for begin, end in _spans(ask, bundle.recipe.stride)
    ]  # fmt: skip
    whole = said[0] if len(said) == 1 else _in_order(said)
    last = np.array([instant(ask.ends[str(machine)]) for machine in whole.machine], dtype="datetime64[us]")
    return whole.where(whole.time <= last)


def _spans(ask: Ask, stride: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Cut a long span, so that a bounded number of windows is in memory at once."""
    length = max(1, WINDOWS_AT_ONCE // len(ask.ends)) * stride
    begin, last = ask.start, max(ask.ends.values())
    while begin < last:
        yield begin, min(begin + length, last)
        begin += length


def _in_order(said: Sequence[Assessments]) -> Assessments:
    whole = replace(
        said[0],
        machine=np.concatenate([each.machine for each in said]),
        time=np.concatenate([each.time for each in said]),
        level=np.concatenate([each.level for each in said]),
        reason=np.concatenate([each.reason for each in said]),
        filled=None if said[0].filled is None else np.concatenate([each.filled for each in said]),
        alone=None if said[0].alone is None else np.concatenate([each.alone for each in said]),
    )
    return whole.where(np.lexsort((whole.time, whole.machine.astype(str))))
