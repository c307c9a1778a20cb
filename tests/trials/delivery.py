"""Kill the process that delivers with SIGKILL at random moments while four receivers fail: each message has its effect
once, and none overtakes an earlier one of its alert.

Run ``python -m tests.trials.delivery --alerts 10000 --kills 300``. Alerts are raised and resolved meanwhile, each
with its messages in one transaction; three tries in ten are answered with an error, by a reset, or not at all, and half
of those after they had their effect.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from ingest.database import Database
from ingest.errors import StoreBusyError
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_target import MessageTarget
from models.finding import Finding
from service.alerts import book
from service.database import open_state
from service.delivery.allowed import read_allowed
from service.delivery.body import body_of
from service.delivery.channels.catalogue import open_channel
from service.delivery.channels.channel import Surroundings
from service.delivery.dispatcher import Dispatcher
from service.delivery.notice import figures
from service.delivery.outbox import NoticeKind, put
from tests.receiver import Answer, Delivery, Receiver

RECEIVERS = 4
FAILING = 0.3
TIMEOUT = timedelta(seconds=1)
LONGEST_UP_SECONDS = 2.0
RAISED_AT_ONCE = 20
"""Alerts in one transaction."""

MOST_WAITING = 1_000
"""Messages that wait before more alerts are raised, so that all kills fall among messages."""

PLANT = Plant(
    name="Trial",
    classes=[MachineClass(name="press", signals=[Signal(name="force")])],
    machines=[Machine(name="press-1", machine_class="press")],
)
_SPAWN = multiprocessing.get_context("forkserver")


def targets_of(receivers: Sequence[Receiver], timeout: timedelta = TIMEOUT) -> list[MessageTarget]:
    """Return a target of the plant file for each receiver."""
    return [
        MessageTarget(
            name=f"receiver {place}",
            kind="alertmanager",
            address=each.url,
            timeout=timeout,
            secret_variable="HOOK",  # noqa: S106 - the name of a variable
        )
        for place, each in enumerate(receivers)
    ]


def deliver(path: Path, database: str, targets: Sequence[MessageTarget]) -> None:
    """Deliver until killed; what the process does that is killed."""
    around = Surroundings(plant=PLANT, environment={"HOOK": "whsec_" + "A" * 32}, allowed=read_allowed("127.0.0.0/8"))
    dispatcher = Dispatcher(
        open_state(path, database),
        targets,
        open_channel=lambda target: open_channel(target, around),
        clock=lambda: datetime.now(UTC),
    )
    dispatcher.run(threading.Event())


@contextmanager
def delivering(path: Path, database: str, targets: Sequence[MessageTarget]) -> Iterator[BaseProcess]:
    """Let a process deliver, and kill it at the end."""
    process = _SPAWN.Process(target=deliver, args=(path, database, targets), daemon=True)
    process.start()
    try:
        yield process
    finally:
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()


@dataclass
class Alerts:
    """Raises alerts and resolves them, and writes the messages of each change in its transaction."""

    state: Database
    targets: Sequence[MessageTarget]
    numbers: list[int] = field(default_factory=list)

    def raise_some(self, count: int) -> None:
        """Raise alerts."""
        now = datetime.now(UTC)
        raised = []
        with self.state.write() as connection:
            for place in range(len(self.numbers), len(self.numbers) + count):
                found = replace(_FINDING, cause=_cause(place), begin=now, act_before=now)
                alert, _ = book.raise_alert(connection, found, at=now)
                raised.append(alert.number)
                body = body_of(alert, PLANT, at=now)
                for target in self.targets:
                    put(connection, target=target.name, kind=NoticeKind.RAISED, body=body, at=now, alert=alert.number)
        self.numbers += raised

    def resolve(self, numbers: Sequence[int]) -> None:
        """Let alerts be over."""
        now = datetime.now(UTC)
        with self.state.write() as connection:
            for number in numbers:
                body = body_of(book.condition_over(connection, number, at=now), PLANT, at=now)
                for target in self.targets:
                    put(connection, target=target.name, kind=NoticeKind.RESOLVED, body=body, at=now, alert=number)

    def live_through(self, count: int, stop: threading.Event) -> None:
        """Raise and resolve so many alerts, as fast as they are delivered."""
        while len(self.numbers) < count and not stop.is_set():
            before = len(self.numbers)
            _until_free(lambda: self.raise_some(min(RAISED_AT_ONCE, count - len(self.numbers))))
            _until_free(lambda before=before: self.resolve(self.numbers[before:]))  # type: ignore[misc]
            # Whoever takes a lock anew at once leaves it to nobody.
            stop.wait(0.05)
            while self.waiting() > MOST_WAITING and not stop.is_set():
                stop.wait(0.1)

    def waiting(self) -> int:
        """Messages that nobody has yet."""
        with self.state.read() as connection:
            return sum(each.waiting for each in figures(connection).values())

    def dead(self) -> int:
        """Messages that were given up."""
        with self.state.read() as connection:
            return sum(each.dead for each in figures(connection).values())


_FINDING = Finding(
    machine="press-1",
    kind="anomaly",
    cause="",
    model="trial",
    version="1",
    begin=datetime(2026, 1, 1, tzinfo=UTC),
    end=None,
    level=0.9,
    act_before=datetime(2026, 1, 2, tzinfo=UTC),
    sentence="press-1 is strange",
)


def failing(draw: random.Random, released: threading.Event) -> Callable[[Delivery], Answer]:
    """Return how a receiver answers that fails three times in ten; half of those after it took the message."""

    def answer(_: Delivery) -> Answer:
        if draw.random() >= FAILING:
            return Answer()
        takes = draw.random() < 0.5
        return draw.choice([Answer(500, takes), Answer(503, takes), Answer(0, takes), Answer(200, takes, released)])

    return answer


def wrong_of(receiver: Receiver, alerts: int) -> list[str]:
    """Return what is lost, doubled or out of order at a receiver, by the causes of the alerts."""
    said: dict[str, list[str]] = defaultdict(list)
    for each in receiver.effects:
        said[each.document["alerts"][0]["labels"]["cause"]].append(each.document["status"])
    expected = ["firing", "resolved"]
    causes = [_cause(place) for place in range(alerts)]
    return [f"{cause}: {said[cause]}" for cause in causes if said[cause] != expected]


def _cause(place: int) -> str:
    return f"cause {place}"


def kill_often(folder: Path, *, alerts: int, kills: int, seed: int = 0, database: str = "") -> str:
    """Kill the process that delivers this often, and return what came of it.

    Raises
    ------
    AssertionError
        When a message is lost, had its effect twice, or came before an earlier one of its alert.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    released, stop = threading.Event(), threading.Event()
    receivers = [Receiver(failing(random.Random(seed + place), released)) for place in range(RECEIVERS)]  # noqa: S311
    path = folder / "state.db"
    state = open_state(path, database)
    targets = targets_of(receivers)
    plant = Alerts(state, targets)
    writer = threading.Thread(target=plant.live_through, args=(alerts, stop))
    begun = time.monotonic()
    writer.start()
    try:
        killed = 0
        while killed < kills or writer.is_alive() or plant.waiting():
            with delivering(path, database, targets) as process:
                if killed < kills:
                    time.sleep(draw.uniform(0, LONGEST_UP_SECONDS))
                    assert process.is_alive(), "the process that delivers ended by itself"
                    killed += 1
                else:
                    writer.join()
                    _wait_for(lambda: not plant.waiting())
        seconds = time.monotonic() - begun
        assert plant.dead() == 0
    finally:
        stop.set()
        released.set()
        writer.join()
        for each in receivers:
            each.close()
        state.close()
    problems = [f"{place}: {each}" for place, receiver in enumerate(receivers) for each in wrong_of(receiver, alerts)]
    assert not problems, problems[:10]
    came, effects = sum(len(each.deliveries) for each in receivers), sum(len(each.effects) for each in receivers)
    assert effects == 2 * alerts * RECEIVERS, "alerts were not raised"
    return (
        f"{kills:,} kills, {alerts:,} alerts, {effects:,} messages to {RECEIVERS} receivers that fail {FAILING:.0%}:"
        f" 0 lost, 0 doubled, 0 out of order; {came:,} came in {seconds:.0f} s, {came - effects:,} of them again"
    )


def three_scenarios(folder: Path) -> str:
    """Play the scenarios in which Alertmanager loses or doubles, and return what came of them.

    Killed before anything was sent (there, within the group's wait); killed after it was sent and before that was
    written down; a receiver that is down over a restart.
    """
    for name, play in (("waits", _killed_before), ("sent", _killed_after), ("down", _down_over_a_restart)):
        (folder / name).mkdir()
        play(folder / name / "state.db")
    return "killed before sending, killed after sending, receiver down over a restart: each delivered, effect once"


def _killed_before(path: Path) -> None:
    with _one_receiver(lambda _: Answer()) as receiver:
        alerts = _alerts(path, receiver)
        alerts.raise_some(1)
        with delivering(path, "", alerts.targets):
            pass  # killed as soon as it is started
        _deliver_all(path, alerts)
        assert [each.document["status"] for each in receiver.effects] == ["firing"]


def _killed_after(path: Path) -> None:
    came, released = threading.Event(), threading.Event()

    def answer(_: Delivery) -> Answer:
        came.set()
        return Answer(hangs=released)

    with _one_receiver(answer) as receiver:
        alerts = _alerts(path, receiver)
        alerts.raise_some(1)
        with delivering(path, "", alerts.targets):
            assert came.wait(30)
        released.set()
        _deliver_all(path, alerts)
        assert len(receiver.deliveries) >= 2
        assert len({each.id for each in receiver.deliveries}) == 1
        assert [each.document["status"] for each in receiver.effects] == ["firing"]


def _down_over_a_restart(path: Path) -> None:
    receiver = Receiver()
    port = receiver.port
    receiver.close()
    alerts = _alerts(path, receiver)
    alerts.raise_some(1)
    with delivering(path, "", alerts.targets):
        _wait_for(lambda: _tried(alerts))
    alerts.resolve(alerts.numbers)
    with delivering(path, "", alerts.targets):
        again = Receiver(port=port)
        try:
            _wait_for(lambda: not alerts.waiting())
            assert [each.document["status"] for each in again.effects] == ["firing", "resolved"]
        finally:
            again.close()
    alerts.state.close()


def _tried(alerts: Alerts) -> bool:
    from service.delivery.notice import list_notices

    with alerts.state.read() as connection:
        return all(each.tries for each in list_notices(connection))


def _alerts(path: Path, receiver: Receiver) -> Alerts:
    return Alerts(open_state(path), targets_of([receiver]))


def _deliver_all(path: Path, alerts: Alerts) -> None:
    with delivering(path, "", alerts.targets):
        _wait_for(lambda: not alerts.waiting())
    alerts.state.close()


@contextmanager
def _one_receiver(answer: Callable[[Delivery], Answer]) -> Iterator[Receiver]:
    receiver = Receiver(answer)
    try:
        yield receiver
    finally:
        receiver.close()


def _until_free(change: Callable[[], None]) -> None:
    """Make a change, however long others write."""
    while True:
        try:
            return change()
        except StoreBusyError:
            continue


def _wait_for(fact: Callable[[], bool], seconds: float = 3600) -> None:
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, "that takes too long"
        time.sleep(0.05)


def main() -> None:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", default="", help="a PostgreSQL database in place of a file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(three_scenarios(Path(folder)) + "\n")
        told = kill_often(
            Path(folder),
            alerts=arguments.alerts,
            kills=arguments.kills,
            seed=arguments.seed,
            database=arguments.database,
        )
        sys.stdout.write(told + "\n")


_SPAWN.set_forkserver_preload(["service.delivery.channels.catalogue", "service.database", "alembic.config"])

if __name__ == "__main__":
    main()
