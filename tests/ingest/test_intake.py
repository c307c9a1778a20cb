import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError, StoreError
from ingest.event import Event, events_table
from ingest.intake import Intake
from ingest.lake import SealReport
from ingest.reading import Readings
from ingest.report import Rejection
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, Kept

MakeReadings = Callable[..., Readings]


KEPT = EVERYWHERE


class Gated(Store):
    """A store that writes and seals when it is let to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_write, self.may_seal = threading.Event(), threading.Event()
        self.transactions: list[int] = []
        self.failure: Exception | None = None
        self.seal_failures: list[Exception] = []

    def deliver(self, deliveries):  # type: ignore[no-untyped-def]
        assert self.may_write.wait(10)
        if self.failure is not None:
            raise self.failure
        self.transactions.append(len(deliveries))
        return super().deliver(deliveries)

    def seal(self) -> SealReport:
        assert self.may_seal.wait(10)
        if self.seal_failures:
            raise self.seal_failures.pop()
        return super().seal()


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    return Gated(tmp_path / "data")


def test_what_is_acknowledged_is_there_for_another_process_to_read(
    store: Store, make_readings: MakeReadings, kept: Kept
) -> None:
    delivery = Delivery(
        source="broker",
        readings=(make_readings([("m1", 0, {"a": 1.0})]), make_readings([("p1", 0, {"a": 2.0})], machine_class="pump")),
        events=events_table([Event(machine="m1", kind="stop", time=datetime(2026, 1, 1, tzinfo=UTC))]),
        rejections=(Rejection(1, "a", "x", "no number"),),
        notes={"partition 0": "17"},
    )
    with Intake(store) as intake:
        assert intake.put(delivery).result(timeout=10) == Receipt(fresh=True)
        other = kept.open(store.folder)
        assert other.read("press").table["a"].to_pylist() == [1.0]
        assert other.read("pump").table["a"].to_pylist() == [2.0]
        assert len(other.events()) == 1
        assert [each.reason for each in other.rejections("broker")] == ["no number"]
        assert other.notes("broker") == {"partition 0": "17"}
        other.close()


def test_a_known_position_changes_nothing(store: Store, make_readings: MakeReadings) -> None:
    def sent(value: float, note: str) -> Delivery:
        readings = make_readings([("m1", 0, {"a": value})])
        return Delivery(source="api", readings=(readings,), position="key", notes={"n": note})

    with Intake(store) as intake:
        assert intake.put(sent(1.0, "1")).result(timeout=10).fresh
        assert not intake.put(sent(2.0, "2")).result(timeout=10).fresh
    assert store.read("press").table["a"].to_pylist() == [1.0]
    assert store.notes("api") == {"n": "1"}


def test_the_later_of_two_deliveries_in_one_transaction_wins(gated: Gated, make_readings: MakeReadings) -> None:
    with Intake(gated) as intake:
        deliveries = [
            Delivery(source=f"{number % 2}", readings=(make_readings([("m1", 0, {"a": float(number)})]),))
            for number in range(5)
        ]
        futures = [intake.put(each) for each in deliveries]
        gated.may_write.set()
        assert all(each.result(timeout=10).fresh for each in futures)
        gated.may_seal.set()
    assert len(gated.transactions) <= 2
    assert gated.read("press").table["a"].to_pylist() == [4.0]
    gated.close()


def test_readings_with_other_signals_share_a_transaction(gated: Gated, make_readings: MakeReadings) -> None:
    with Intake(gated) as intake:
        first = Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})], signals=("a",)),))
        second = Delivery(source="s", readings=(make_readings([("m1", 0, {"c": 3.0})], signals=("c",)),))
        futures = [intake.put(first), intake.put(first), intake.put(second)]
        gated.may_write.set()
        for each in futures:
            each.result(timeout=10)
        gated.may_seal.set()
    assert gated.read("press", signals=["a", "c"]).table.select(["a", "c"]).to_pylist() == [{"a": 1.0, "c": 3.0}]
    gated.close()


def test_a_full_memory_refuses_and_takes_again_when_there_is_room(gated: Gated, make_readings: MakeReadings) -> None:
    delivery = Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})]),))
    gated.may_seal.set()
    with Intake(gated, cells_in_memory=2 * delivery.cells) as intake:
        futures = [intake.put(delivery), intake.put(delivery)]  # the writer may hold the first one already
        with pytest.raises(IntakeFullError, match="more comes than can be written"):
            futures += [intake.put(delivery) for _ in range(2)]
        gated.may_write.set()
        futures.append(intake.put(delivery, wait=10))
        assert all(each.result(timeout=10).fresh for each in futures)
    gated.close()


def test_a_full_log_refuses_until_it_is_sealed(gated: Gated, make_readings: MakeReadings) -> None:
    delivery = Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})]),))
    gated.may_write.set()
    with Intake(gated, cells_in_the_log=delivery.cells) as intake:
        assert not intake.refuses()
        intake.put(delivery).result(timeout=10)
        assert "the log is full" in intake.refuses()
        with pytest.raises(IntakeFullError, match="the log is full"):
            intake.put(delivery)
        gated.may_seal.set()
        assert intake.put(delivery, wait=10).result(timeout=10).fresh
    gated.close()


def test_sealing_goes_on_after_a_mistake_of_ours(gated: Gated, make_readings: MakeReadings) -> None:
    gated.seal_failures = [ValueError("a mistake")]
    gated.may_write.set()
    gated.may_seal.set()
    delivery = Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})]),))
    with Intake(gated, cells_in_the_log=delivery.cells) as intake:
        intake.put(delivery).result(timeout=10)
        assert intake.put(delivery, wait=10).result(timeout=10).fresh
    assert gated.seal_failures == []
    gated.close()


def test_each_future_tells_why_its_delivery_is_not_kept(gated: Gated, make_readings: MakeReadings) -> None:
    gated.failure = StoreError("the disk is full")
    gated.may_write.set()
    gated.may_seal.set()
    told: list[tuple[str, str | None]] = []
    with Intake(gated, tell=lambda *what: told.append(what)) as intake:
        futures = [intake.put(Delivery(source="s", readings=(make_readings([("m1", 0, {})]),))) for _ in range(3)]
        for each in futures:
            with pytest.raises(StoreError, match="disk is full"):
                each.result(timeout=10)
        assert intake.failed == {"writing": "the disk is full"}
        gated.failure = None
        assert intake.put(Delivery(source="s")).result(timeout=10).fresh
    assert told == [("writing", "the disk is full"), ("writing", None)]
    gated.close()


def test_one_broken_delivery_does_not_spoil_the_others(gated: Gated, make_readings: MakeReadings) -> None:
    good = Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})]),))
    text = good.readings[0].table.set_column(3, "a", [["text"]])
    bad = Delivery(source="s", readings=(Readings("press", text),))
    gated.may_seal.set()
    with Intake(gated) as intake:
        futures = [intake.put(each) for each in (good, bad, good)]
        gated.may_write.set()
        assert futures[0].result(timeout=10).fresh
        with pytest.raises(TypeError, match="schema of readings"):
            futures[1].result(timeout=10)
        assert futures[2].result(timeout=10).fresh
    gated.close()


def test_closing_makes_durable_what_was_taken_and_refuses_the_rest(gated: Gated, make_readings: MakeReadings) -> None:
    intake = Intake(gated)
    gated.may_seal.set()
    future = intake.put(Delivery(source="s", readings=(make_readings([("m1", 0, {"a": 1.0})]),)))
    gated.may_write.set()
    intake.close()
    assert future.result(timeout=0).fresh
    with pytest.raises(IntakeFullError, match="closing"):
        intake.put(Delivery(source="s"))
    gated.close()


def test_who_is_told_of_a_failure_and_fails_does_not_stop_the_writing(gated: Gated) -> None:
    gated.failure = StoreError("the disk is full")
    gated.may_write.set()
    gated.may_seal.set()

    def tell(*_: object) -> None:
        raise OSError("the disk of the log is full, too")

    with Intake(gated, tell=tell) as intake:
        for _ in range(2):
            with pytest.raises(StoreError, match="the disk is full"):
                intake.put(Delivery(source="s")).result(timeout=10)
        gated.failure = None
        assert intake.put(Delivery(source="s")).result(timeout=10).fresh
    gated.close()
