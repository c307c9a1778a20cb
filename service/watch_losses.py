"""Losses become alerts: each machine is judged once after each of its shifts, however often somebody asks.

A loss that begins opens an alert, one that is over ends it; all of one machine is written in one transaction, with how
far it was judged. So a look that is killed leaves nothing, and the same look again gives what it would have given.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy.engine import Connection

from features.production.shift_end import last_shift_end
from features.production.told import KINDS
from ingest.database import Database
from ingest.errors import AndonError
from ingest.history import History
from ingest.plant import Plant
from models.efficiency.finders.catalogue import FINDERS
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look
from service.alerts import book
from service.alerts.labels import places_of
from service.lasting import count, end_condition, lasting
from service.watch import Watch, keep_watch, watches

LOOKS_BACK = timedelta(days=120)
"""How much history says what is usual; a loss that lasts longer becomes the usual."""

_WATCH = "losses/"
"""Under which name it is remembered how far losses were judged."""


@dataclass(slots=True)
class LossTurn:
    """What a look at the losses of a plant did.

    Attributes
    ----------
    machines : how many had a new shift to judge
    lasting : losses that last, of all machines
    """

    machines: int = 0
    raised: int = 0
    over: int = 0
    lasting: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What finders said of one machine; causes of finders that failed are left as they are."""

    found: dict[str, FoundLoss]
    failed: frozenset[str]
    errors: tuple[str, ...]


def watch_losses(plant: Plant, history: History, state: Database, *, at: datetime) -> LossTurn:
    """Judge every machine at the end of its newest shift that was over by ``at`` and of which something was heard.

    A shift is heard to its end when anything came of that moment or a later one: until then its counts may be on
    their way. History raises no alerts: a loss that began and was over again before the newest shift opens none.
    """
    turn = LossTurn()
    with state.read() as connection:
        before = watches(connection, _WATCH)
    for machine in (each.name for each in plant.machines):
        end = _judged_until(plant, history, machine, at)
        if end is None or (machine in before and before[machine].until >= end):
            continue
        judged = _judge(Look(plant, history, machine, end - LOOKS_BACK, end))
        turn.errors += [f"{machine}: {error}" for error in judged.errors]
        with state.write() as connection:
            # Whoever judged meanwhile judged this shift or a later one.
            if watches(connection, _WATCH).get(machine) == before.get(machine):
                turn.machines += 1
                _hold(connection, plant, machine, judged, turn, end=end, at=at)
                keep_watch(connection, _WATCH, machine, Watch(end))
    with state.write() as connection:
        _let_go_of_the_gone(connection, plant, turn, at=at)
        turn.lasting = count(lasting(connection, FINDERS))
    return turn


def _judged_until(plant: Plant, history: History, machine: str, at: datetime) -> datetime | None:
    end = last_shift_end(plant, machine, at)
    if end is None:
        return None
    events = history.events(machines=[machine], kinds=KINDS, start=end - LOOKS_BACK, end=at)
    heard = [] if events.empty else [events["time"].max().to_pydatetime(), *_ends(events["end"], at)]
    span = history.spans(plant.class_of(machine).name).get(machine)
    heard += [] if span is None else [span[1]]
    return last_shift_end(plant, machine, min(at, max(heard))) if heard else None


def _ends(ends: "pd.Series[pd.Timestamp]", at: datetime) -> list[datetime]:
    known = ends[ends <= at]
    return [] if known.empty else [known.max().to_pydatetime()]


def _judge(look: Look) -> _Judged:
    found: dict[str, FoundLoss] = {}
    failed, errors = set(), []
    for name, finder in FINDERS.items():
        try:
            found |= {each.cause: each for each in finder(look)}
        except AndonError as error:
            failed.add(name)
            errors.append(f"{name}: {error}")
    return _Judged(found, frozenset(failed), tuple(errors))


def _hold(
    connection: Connection, plant: Plant, machine: str, judged: _Judged, turn: LossTurn, *, end: datetime, at: datetime
) -> None:
    held = lasting(connection, FINDERS).get(machine, {})
    for cause, loss in judged.found.items():
        # An alert that a person closed while the loss lasts stays closed.
        if cause in held and not book.show(connection, held[cause]).live:
            continue
        finding = loss.finding()
        latches, places = finding.kind in plant.alerts.latch, places_of(plant, machine)
        turn.raised += book.raise_alert(connection, finding, at=at, latches=latches, places=places)[1]
    for cause, number in held.items():
        if cause not in judged.found and book.show(connection, number).model not in judged.failed:
            turn.over += end_condition(connection, number, end=end, at=at)


def _let_go_of_the_gone(connection: Connection, plant: Plant, turn: LossTurn, *, at: datetime) -> None:
    """End alerts about machines that left the plant file: no look would ever end them."""
    known = {each.name for each in plant.machines}
    for machine, own in lasting(connection, FINDERS).items():
        for number in own.values() if machine not in known else ():
            why = f"{machine} is no longer in the plant file"
            turn.over += end_condition(connection, number, end=at, at=at, why=why)
