"""An outbox with a clock that a test moves, and channels that answer as it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ingest.database import Database
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_target import MessageTarget
from service.delivery.channels.channel import Surroundings
from service.delivery.claim import claim
from service.delivery.dispatcher import Dispatcher
from service.delivery.notice import Notice, list_notices
from service.delivery.outbox import NoticeKind, put
from service.delivery.outcome import Outcome, Sent
from service.delivery.settle import Settled, settle
from tests.ready_state import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
MES = MessageTarget(name="mes", kind="alertmanager", address="http://127.0.0.1:1/hook")
PLANT = Plant(
    name="Works",
    time_zone="Europe/Berlin",
    classes=[MachineClass(name="press", signals=[Signal(name="force")])],
    machines=[Machine(name="press-1", machine_class="press", site="Ulm", line="Line 1")],
)


@dataclass
class SaidChannel:
    """A channel that says what a function says, and remembers what it was given."""

    say: Callable[[Notice], Outcome] = lambda _: Sent()
    given: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice, now: datetime) -> Outcome:
        self.given.append(notice)
        return self.say(notice)

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


@dataclass
class Outbox:
    """An outbox, and what may be done with it at a moment that the test moves."""

    state: Database
    now: datetime = NOW

    def put(
        self,
        alert: int | None = 1,
        *,
        target: str = "mes",
        kind: NoticeKind = NoticeKind.RAISED,
        machine: str = "press-1",
    ) -> str:
        with self.state.write() as connection:
            return put(connection, target=target, kind=kind, body={"machine": machine}, at=self.now, alert=alert)

    def claim(self, target: MessageTarget = MES, room: int = 100) -> list[Notice]:
        with self.state.write() as connection:
            return claim(connection, target, room=room, at=self.now)

    def settle(self, notice: Notice, outcome: Outcome, seed: int = 0) -> None:
        with self.state.write() as connection:
            settle(connection, [Settled(notice, outcome)], at=self.now, random=Random(seed))  # noqa: S311 - nothing secret

    def all(self, target: str | None = None) -> list[Notice]:
        """All messages, oldest first."""
        with self.state.read() as connection:
            return list_notices(connection, target=target)[::-1]

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def dispatcher(self, channels: dict[str, SaidChannel], **keys: object) -> Dispatcher:
        """Deliver to these channels by the test's clock."""
        targets = [MES.model_copy(update={"name": name, **keys}) for name in channels]
        return Dispatcher(
            self.state,
            targets,
            open_channel=lambda target: channels[target.name],
            clock=lambda: self.now,
            random=Random(0),  # noqa: S311 - nothing secret
        )


@pytest.fixture
def outbox(tmp_path: Path, database: str) -> Iterator[Outbox]:
    state = open_state(tmp_path / "state.db", database)
    yield Outbox(state)
    state.close()


def around(**keys: object) -> Surroundings:
    """What channels know, of a small plant."""
    return Surroundings(**{"plant": PLANT, "environment": {}, **keys})  # type: ignore[arg-type]
