"""Characteristics are watched: what their control charts signal opens alerts, and what is over ends them.

All of one characteristic is written in one transaction, with how far it was looked at. So a look that is killed leaves
nothing, and the same look again gives what it would have given.
"""

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
from service.characteristics import characteristics_of, standing
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
    looker = _Looker(plant, history, state, turn, at)
    with state.read() as connection:
        before = kept_characteristics(connection, [each.name for each in plant.machines])
    newly_learnt = 0
    for machine, each in characteristics_of(plant):
        turn.declared += 1
        due = looker.due(machine, each, before.get((machine, each.signal)))
        if due is not None and (newly_learnt < LEARNT_AT_ONCE or due.learnt_before):
            newly_learnt += looker.look(due)
    with state.write() as connection:
        looker.let_go_of_the_gone(connection)
        turn.lasting = count(lasting(connection, [NAME]))
    turn.unstable = sum(
        kept is not None and kept.state in ("unstable", "no chart") for _, _, kept in standing(plant, state)
    )
    return turn


def cause_of(signal: str) -> str:
    """Return what an alert about a characteristic is about."""
    return f"{signal} shift"


@dataclass(frozen=True, slots=True)
class _Due:
    """A characteristic of one machine that is to be looked at.

    Attributes
    ----------
    known : how it stood when it was looked at last; ``None`` if it never was
    until : when its newest point was over
    """

    machine: str
    characteristic: Characteristic
    known: KeptCharacteristic | None
    until: datetime

    @property
    def cause(self) -> str:
        """What an alert about it is about."""
        return cause_of(self.characteristic.signal)

    @property
    def since(self) -> datetime | None:
        """Up to when it was looked at before; ``None`` if it never was."""
        return None if self.known is None else self.known.until

    @property
    def learnt_before(self) -> bool:
        """Whether a chart is kept, so that none needs to be learnt."""
        return self.known is not None and self.known.chart is not None

    def still(self, connection: Connection) -> bool:
        """Say whether nobody looked meanwhile: who did looked at the same point or a later one."""
        now = kept_characteristics(connection, [self.machine]).get((self.machine, self.characteristic.signal))
        return (None if now is None else now.until) == self.since


@dataclass(frozen=True, slots=True)
class _Looker:
    """Looks at characteristics as of a moment, and counts in ``turn`` what came of it."""

    plant: Plant
    history: History
    state: Database
    turn: CharacteristicTurn
    at: datetime

    def due(self, machine: str, each: Characteristic, known: KeptCharacteristic | None) -> _Due | None:
        """Return what is to be looked at; ``None`` where no point is new and nothing was declared anew."""
        span = self.history.spans(self.plant.class_of(machine).name).get(machine)
        if span is None:
            return None
        step = microseconds(each.every)
        newest = time_of(moment(min(span[1], self.at)) // step * step)
        seen = known is not None and known.until >= newest and known.declared == declared_as(each)
        return None if newest <= span[0] or seen else _Due(machine, each, known, newest)

    def look(self, due: _Due) -> bool:
        """Look at one characteristic, and say whether its chart was learnt."""
        from models.efficiency.characteristic import watched

        kept = {} if due.known is None else due.known.charts
        try:
            found = watched(self.plant, self.history, due.machine, due.characteristic, due.until, kept)
            matter = found.lasts
        except NotEnoughDataError as error:
            self._keep_why(due, str(error))
            return False
        except AndonError as error:
            self.turn.errors.append(f"{due.characteristic.signal} of {due.machine}: {error}")
            return False
        with self.state.write() as connection:
            if not due.still(connection):
                return False
            self.turn.looked_at += 1
            self._hold(connection, due, found, matter)
            keep_characteristic(connection, found, due.until)
        return found.learnt is not None and (due.known is None or due.known.digest != found.learnt.digest)

    def let_go_of_the_gone(self, connection: Connection) -> None:
        """End alerts about what is no characteristic any more: no look would ever end them."""
        declared = {(machine, cause_of(each.signal)) for machine, each in characteristics_of(self.plant)}
        for machine, own in lasting(connection, [NAME]).items():
            for cause, number in own.items():
                if (machine, cause) not in declared:
                    why = f"the plant file has no chart of {cause.removesuffix(' shift')} of {machine} any more"
                    self.turn.over += end_condition(connection, number, end=self.at, at=self.at, why=why)

    def _keep_why(self, due: _Due, why: str) -> None:
        """Keep why there is no chart, and let go of what one said before: who asks is told, and no job fails for it."""
        with self.state.write() as connection:
            if not due.still(connection):
                return
            number = lasting(connection, [NAME]).get(due.machine, {}).get(due.cause)
            if number is not None:
                self.turn.over += end_condition(connection, number, end=due.until, at=self.at, why=why)
            keep_no_chart(connection, due.machine, due.characteristic, due.until, why)

    def _hold(self, connection: Connection, due: _Due, found: "Watched", matter: "Signal | None") -> None:
        """Open, keep or end the alert of a characteristic."""
        number = lasting(connection, [NAME]).get(due.machine, {}).get(due.cause)
        if number is not None and (matter is None or (due.since is not None and matter.at > due.since)):
            # What began after the look before is another matter, whatever became of the alert about the one before it.
            end = due.until if matter is None else matter.at.to_pydatetime()
            why = "" if matter is None else "another shift followed"
            self.turn.over += end_condition(connection, number, end=end, at=self.at, why=why)
            number = None
        if matter is None:
            return
        doubted = sensor_of(due.characteristic.signal) in lasting(connection, [SENSORS]).get(due.machine, {})
        # An alert that a person closed while the matter lasts stays closed.
        if doubted or (number is not None and not book.show(connection, number).live):
            return
        finding, places = _finding(found, matter), places_of(self.plant, due.machine)
        latches = finding.kind in self.plant.alerts.latch
        self.turn.raised += book.raise_alert(connection, finding, at=self.at, latches=latches, places=places)[1]


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
