"""Ask of machines together, and of those that failed together one by one, so that one of them stops no other."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ingest.errors import AndonError
from models.engine.engine import Engine
from models.engine.work import Outcome, WorkUnit

Result = TypeVar("Result")


def run_apart(
    engine: Engine,
    work: Callable[..., Result],
    units: Sequence[WorkUnit],
    split: Callable[[WorkUnit], Sequence[WorkUnit]],
    shared: tuple[Any, ...] = (),
) -> list[Outcome[Result]]:
    """Do units of work; return the outcomes in order, in place of a unit that failed those of its parts.

    Parameters
    ----------
    split : returns the parts of a unit, one for each machine

    Raises
    ------
    Exception
        What the work raises that is no ``AndonError``: a mistake of ours stops everything.
    """
    if not units:
        return []
    outcomes = engine.run(work, units, shared)
    for outcome in outcomes:
        if outcome.error is not None and not isinstance(outcome.error, AndonError):
            raise outcome.error
    parts = {place: split(each.unit) for place, each in enumerate(outcomes) if each.error is not None}
    parts = {place: own for place, own in parts.items() if len(own) > 1}
    anew = iter(run_apart(engine, work, [each for own in parts.values() for each in own], _not_again, shared))
    found: list[Outcome[Result]] = []
    for place, outcome in enumerate(outcomes):
        found += [next(anew) for _ in parts[place]] if place in parts else [outcome]
    return found


def _not_again(unit: WorkUnit) -> Sequence[WorkUnit]:
    del unit
    return ()
