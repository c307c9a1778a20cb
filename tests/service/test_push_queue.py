"""Pushes that wait are taken in hand a few at a time, and each gets its own answer."""

import asyncio
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime
from threading import Event, Lock
from time import sleep

import pytest

from ingest.decode.clean.decoder import BodyDecoder
from ingest.decode.cut import Body
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError
from ingest.plant import Machine, MachineClass, Plant, Signal
from service.api import push_queue
from service.api.body import INLINE_BYTES
from service.api.push import AT_ONCE, HEAVY_AT_ONCE, HEAVY_BYTES, Pushes
from service.api.push_queue import PushQueue
from service.metrics import Figures, Metrics

NOW = datetime(2026, 5, 3, 4, tzinfo=UTC)
PLANT = Plant(
    classes=[MachineClass(name="press", signals=[Signal(name="force")])],
    machines=[Machine(name="p1", machine_class="press")],
)


class Slow:
    """An intake that keeps what it is told to keep."""

    def __init__(self) -> None:
        self.put_so_far: list[tuple[Delivery, Future[Receipt]]] = []
        self.full = False
        self.came = Event()

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        """Take a delivery, or say that it is full."""
        if self.full:
            raise IntakeFullError("full")
        future: Future[Receipt] = Future()
        self.put_so_far.append((delivery, future))
        self.came.set()
        return future

    def refuses(self) -> str:
        """Say whether it is full."""
        return "full" if self.full else ""

    def notes(self, source: str) -> dict[str, str]:
        """Return nothing."""
        return {}

    def keep(self, begin: int, end: int) -> None:
        """Say that some of the deliveries are on disk."""
        for _, future in self.put_so_far[begin:end]:
            future.set_result(Receipt(True))


def row(minute: int, machine: str = "p1") -> Body:
    content = f'[{{"machine": "{machine}", "time": "2026-05-03T03:{minute:02}:00Z", "force": {minute}.0}}]'
    return Body("json", content.encode(), NOW, {})


async def until_put(intake: Slow, count: int) -> None:
    async with asyncio.timeout(10):
        while len(intake.put_so_far) < count:
            await asyncio.to_thread(intake.came.wait, 0.01)


@pytest.fixture
def intake() -> Slow:
    return Slow()


def test_each_push_gets_its_own_answer_and_what_is_not_clean_gets_none(intake: Slow) -> None:
    async def run() -> None:
        with closing(PushQueue(BodyDecoder(PLANT), intake)) as queue:
            answers = [queue.put(body, None) for body in (row(1), row(2, "p9"), row(3))]
            await until_put(intake, 2)
            intake.keep(0, 2)
            first, unclean, third = await asyncio.gather(*answers)

        assert unclean is None
        assert first is not None
        assert third is not None
        assert [each.decoded.readings[0].table["force"].to_pylist() for each in (first, third)] == [[1.0], [3.0]]

    asyncio.run(run())


def test_no_more_are_in_hand_than_agreed(intake: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_queue, "IN_HAND", 2)

    async def run() -> None:
        with closing(PushQueue(BodyDecoder(PLANT), intake)) as queue:
            answers = [queue.put(row(minute), None) for minute in range(5)]
            answers[3].cancel()
            await until_put(intake, 2)
            await asyncio.sleep(0.05)
            assert len(intake.put_so_far) == 2
            intake.keep(0, 2)
            await until_put(intake, 4)
            intake.keep(2, 4)
            await asyncio.gather(*answers, return_exceptions=True)

        # The client of the fourth went away while it waited.
        assert len(intake.put_so_far) == 4

    asyncio.run(run())


def test_a_full_intake_is_the_answer_and_the_next_push_is_taken(intake: Slow) -> None:
    async def run() -> None:
        with closing(PushQueue(BodyDecoder(PLANT), intake)) as queue:
            intake.full = True
            with pytest.raises(IntakeFullError):
                await queue.put(row(1), None)
            intake.full = False
            answer = queue.put(row(2), None)
            await until_put(intake, 1)
            intake.keep(0, 1)
            assert await answer is not None

    asyncio.run(run())


class Ready(Slow):
    """An intake that keeps at once."""

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        """Take a delivery."""
        future = super().put(delivery, wait=wait)
        future.set_result(Receipt(True))
        return future


class Counting(BodyDecoder):
    """Counts how many bodies are decoded at a time; each is the small one at its begin."""

    now = most = 0
    lock = Lock()

    def decode(self, body: Body) -> Decoded:
        """Decode the first line."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        sleep(0.02)
        with self.lock:
            self.now -= 1
        return super().decode(Body(body.kind, body.body.split(b"\n")[0], body.arrived, body.head))


@pytest.mark.parametrize(("size", "at_once"), [(HEAVY_BYTES, HEAVY_AT_ONCE), (INLINE_BYTES, AT_ONCE)])
def test_few_large_bodies_are_worked_on_at_a_time(size: int, at_once: int) -> None:
    async def push() -> int:
        decoder = Counting(PLANT)
        with closing(Pushes(decoder, Ready(), Metrics(Figures))) as pushes:
            bodies = [Body("json", row(each).body + b"\n" * size, NOW, {}) for each in range(2 * AT_ONCE)]
            taken = await asyncio.gather(*(pushes.take(body, None) for body in bodies))
            assert [each.accepted for each in taken] == [1] * len(bodies)
        return decoder.most

    assert asyncio.run(push()) == at_once
