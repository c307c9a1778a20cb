"""Characteristics are watched: what their control charts signal opens alerts, and what is over ends them.

All of one characteristic is written in one transaction, with how far it was looked at. So a look that is killed leaves
nothing, and the same look again gives what it would have given.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from features.microsecond import microseconds, moment, time_of
from ingest.database import Database
from ingest.duration import format_duration
from ingest.errors import AndonError, NotEnoughDataError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_characteristic import Characteristic
from models.finding import Evidence, Finding
from service.alerts import book
from service.alerts.labels import places_of
from service.kept_characteristics import (
    KeptCharacteristic,
    declared_as,
    keep_characteristic,
    keep_no_chart,
    kept_characteristics,
)
from service.lasting import count, end_condition, lasting
from service.sensors import NAME as SENSORS
from service.sensors import cause_of as sensor_of

if TYPE_CHECKING:
    from models.efficiency.characteristic import Watched
    from models.efficiency.charted import Signal

NAME = "control chart"
"""What stands in an alert where a model's name stands otherwise."""
ACT_WITHIN = timedelta(days=7)
LEARNT_AT_ONCE = 20
"""So many charts are learnt at one look at most, which takes about a minute; the next look goes on with the others."""


@dataclass(slots=True)
class CharacteristicTurn:
    """What a look at the characteristics of a plant did.

    Attributes
    ----------
    looked_at : how many had new points
    declared : characteristics of machines that the plant file has
    unstable : those of them without a stable phase I, or without any chart for good
    lasting : matters that last, of all
    """

    declared: int = 0
    looked_at: int = 0
    unstable: int = 0
    raised: int = 0
    over: int = 0
    lasting: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What it did, in words; empty where no characteristic is declared."""
        if not self.declared:
            return ""
        told = f"{self.looked_at} control charts: {self.raised} raised, {self.over} over, {self.lasting} last"
        return told + (f", {self.unstable} without a stable phase I" if self.unstable else "")


def watch_characteristics(plant: Plant, history: History, state: Database, *, at: datetime) -> CharacteristicTurn:
    """Look at every characteristic of which a new point is over by ``at`` and of which something was read.

    A signal whose sensor is doubted raises nothing meanwhile: that alert is known already.
    """
    turn = CharacteristicTurn()
    with state.read() as connection:
        before = kept_characteristics(connection, [each.name for each in plant.machines])
    learnt = 0
    for machine, each in characteristics_of(plant):
        known = before.get((machine, each.signal))
        until = _newest_point(plant, history, machine, each, at)
        if until is None or (known is not None and known.until >= until and known.declared == declared_as(each)):
            continue
        if learnt < LEARNT_AT_ONCE or (known is not None and known.chart is not None):
            learnt += _look(plant, history, state, machine, each, known, turn, until=until, at=at)
    with state.write() as connection:
        _let_go_of_the_gone(connection, plant, turn, at=at)
        turn.lasting = count(lasting(connection, [NAME]))
        kept = kept_characteristics(connection, [each.name for each in plant.machines])
    declared = {(machine, each.signal) for machine, each in characteristics_of(plant)}
    turn.declared = len(declared)
    turn.unstable = sum(each.state in ("unstable", "no chart") for place, each in kept.items() if place in declared)
    return turn


def characteristics_of(plant: Plant) -> Iterator[tuple[str, Characteristic]]:
    """Yield each machine with each of its characteristics, in the order of the plant file."""
    for machine in plant.machines:
        for each in plant.class_of(machine.name).characteristics:
            yield machine.name, each


def cause_of(signal: str) -> str:
    """Return what an alert about a characteristic is about."""
    return f"{signal} shift"


def _newest_point(plant: Plant, history: History, machine: str, each: Characteristic, at: datetime) -> datetime | None:
    """Return when the newest point was over of which something may have been read; ``None`` if there is none."""
    span = history.spans(plant.class_of(machine).name).get(machine)
    if span is None:
        return None
    step = microseconds(each.every)
    newest = time_of(moment(min(span[1], at)) // step * step)
    return newest if newest > span[0] else None


def _look(
    plant: Plant,
    history: History,
    state: Database,
    machine: str,
    each: Characteristic,
    known: KeptCharacteristic | None,
    turn: CharacteristicTurn,
    *,
    until: datetime,
    at: datetime,
) -> bool:
    """Look at one characteristic, and say whether its chart was learnt."""
    from models.efficiency.characteristic import watched

    try:
        found = watched(plant, history, machine, each, until, {} if known is None else known.charts)
        matter = found.lasts
    except NotEnoughDataError as error:
        _keep_why(state, machine, each, known, turn, until=until, at=at, why=str(error))
        return False
    except AndonError as error:
        turn.errors.append(f"{each.signal} of {machine}: {error}")
        return False
    with state.write() as connection:
        if not _still(connection, machine, each, known):
            return False
        turn.looked_at += 1
        since = None if known is None else known.until
        _hold(connection, plant, found, matter, turn, since=since, until=until, at=at)
        keep_characteristic(connection, found, until)
    return found.learnt is not None and (known is None or known.digest != found.learnt.digest)


def _keep_why(
    state: Database,
    machine: str,
    each: Characteristic,
    known: KeptCharacteristic | None,
    turn: CharacteristicTurn,
    *,
    until: datetime,
    at: datetime,
    why: str,
) -> None:
    """Keep why there is no chart, and let go of what one said before: whoever asks is told, and no job fails for it."""
    with state.write() as connection:
        if not _still(connection, machine, each, known):
            return
        number = lasting(connection, [NAME]).get(machine, {}).get(cause_of(each.signal))
        if number is not None:
            turn.over += end_condition(connection, number, end=until, at=at, why=why)
        keep_no_chart(connection, machine, each, until, why)


def _still(connection: Connection, machine: str, each: Characteristic, known: KeptCharacteristic | None) -> bool:
    """Say whether nobody looked meanwhile: who did looked at the same point or a later one."""
    now = kept_characteristics(connection, [machine]).get((machine, each.signal))
    return (None if now is None else now.until) == (None if known is None else known.until)


def _hold(
    connection: Connection,
    plant: Plant,
    found: "Watched",
    matter: "Signal | None",
    turn: CharacteristicTurn,
    *,
    since: datetime | None,
    until: datetime,
    at: datetime,
) -> None:
    """Open, keep or end the alert of a characteristic; ``since`` is up to when it was looked at before."""
    signal, machine = found.characteristic.signal, found.machine
    number = lasting(connection, [NAME]).get(machine, {}).get(cause_of(signal))
    if number is not None and (matter is None or (since is not None and matter.at > since)):
        # What began after the look before is another matter, whatever became of the alert about the one before it.
        end = until if matter is None else matter.at.to_pydatetime()
        why = "" if matter is None else "another shift followed"
        turn.over += end_condition(connection, number, end=end, at=at, why=why)
        number = None
    if matter is None:
        return
    doubted = sensor_of(signal) in lasting(connection, [SENSORS]).get(machine, {})
    # An alert that a person closed while the matter lasts stays closed.
    if doubted or (number is not None and not book.show(connection, number).live):
        return
    finding = _finding(found, matter)
    latches, places = finding.kind in plant.alerts.latch, places_of(plant, machine)
    turn.raised += book.raise_alert(connection, finding, at=at, latches=latches, places=places)[1]


def _finding(found: "Watched", matter: "Signal") -> Finding:
    asked, seen = found.characteristic, matter.at.to_pydatetime()
    actual, expected = _moved(found, matter)
    return Finding(
        machine=found.machine,
        kind="process shift",
        cause=cause_of(asked.signal),
        model=NAME,
        version="",
        begin=seen,
        end=None,
        level=1.0,
        act_before=seen + ACT_WITHIN,
        evidence=(
            Evidence(
                signal=asked.signal,
                unit=found.unit,
                feature=f"{format_duration(asked.every)} mean",
                actual=actual,
                expected=expected,
                share=1.0,
            ),
        ),
        sentence=_sentence(found, matter, expected),
    )


def _moved(found: "Watched", matter: "Signal") -> tuple[float, float]:
    """Return the level since a shift and the one before; of a jump, the value and what the values before let expect."""
    if found.charted is None:
        raise ValueError("without a chart there is no matter")
    if matter.shift is not None:
        return found.charted.centre + matter.shift.size, found.charted.centre
    place = found.charted.points.index.get_loc(matter.at)
    actual, expected = (found.charted.points[name].to_numpy(float)[place] for name in ("value", "expected"))
    return float(actual), float(expected)


def _sentence(found: "Watched", matter: "Signal", expected: float) -> str:
    signal, unit = found.characteristic.signal, f" {found.unit}" if found.unit else ""
    size = matter.size if matter.shift is None else matter.shift.size
    moved = f"{abs(size):.3g}{unit} {'above' if matter.direction == 'up' else 'below'}"
    if matter.shift is None:
        return f"{found.machine}: {signal} jumped to {moved} what was expected at {matter.at:%Y-%m-%d %H:%M}"
    since = f"since about {matter.shift.since.at:%Y-%m-%d %H:%M}"
    return f"{found.machine}: {signal} lies {moved} its normal of {expected:.4g}{unit} {since}"


def _let_go_of_the_gone(connection: Connection, plant: Plant, turn: CharacteristicTurn, *, at: datetime) -> None:
    """End alerts about what is no characteristic any more: no look would ever end them."""
    declared = {(machine, cause_of(each.signal)) for machine, each in characteristics_of(plant)}
    for machine, own in lasting(connection, [NAME]).items():
        for cause, number in own.items():
            if (machine, cause) not in declared:
                why = f"the plant file has no chart of {cause.removesuffix(' shift')} of {machine} any more"
                turn.over += end_condition(connection, number, end=at, at=at, why=why)
