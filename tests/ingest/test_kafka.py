"""A stream at a real client's cluster: a position moves with its readings, and the group is told afterwards."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from time import monotonic, sleep

import pytest

from ingest.delivery import Delivery, Receipt
from ingest.errors import SourceError
from ingest.intake import Intake
from ingest.plant import Machine
from ingest.plant_kafka import KafkaTopic
from ingest.replay import replay
from ingest.sources import kafka, kafka_connection
from ingest.sources.kafka_connection import settings
from ingest.store import Store
from tests.ingest.held_inlet import HeldInlet
from tests.ingest.kafka_plant import numbers, plant_at, stream_of, values
from tests.ingest.mqtt_plant import listening, wait_for
from tests.kafka_cluster import Cluster, Sender, cluster_apart, commit, committed

GROUP = "andon-works-bus"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody for long: this cluster lets a member wait for the session of the one before it."""
    monkeypatch.setattr(kafka_connection, "SESSION_SECONDS", 1.5)
    monkeypatch.setattr(kafka_connection, "WAIT_SECONDS", 1.0)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def sender(cluster: Cluster) -> Sender:
    return Sender(cluster.servers)


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with Intake(store) as intake:
        yield intake


def test_messages_become_readings_once_and_what_is_not_understood_holds_nothing_up(
    cluster: Cluster, sender: Sender, intake: Intake, store: Store
) -> None:
    plant = plant_at(cluster.servers)
    sender.send("t", [*numbers(range(50)), b"{", None, *numbers(range(50, 100))])
    sender.send("t", numbers([100]), partition=2, key=b"m5")

    with listening(stream := stream_of(plant), intake):
        wait_for(lambda: stream.state.kept == 103)

    assert (stream.state.connected, stream.state.why, stream.state.letters) == (False, "stopped", 2)
    assert values(store) == [float(each) for each in range(100)]
    assert committed(cluster.servers, GROUP, "t") == [102, 0, 1, 0]
    with listening(again := stream_of(plant), intake):
        sender.send("t", numbers([101]), partition=1, key=b"m2")
        wait_for(lambda: again.state.kept)
    assert again.state.received == 1
    replay(store, plant.model_copy(update={"machines": [*plant.machines, Machine(name="m5", machine_class="press")]}))
    assert values(store) == [float(each) for each in range(102)]
    assert [each.letter.body for each in store.dead_letters()] == [b"{"]


def test_the_group_is_told_only_what_is_durable(cluster: Cluster, sender: Sender, intake: Intake, store: Store) -> None:
    inlet = HeldInlet(intake)
    sender.send("t", numbers(range(10)))
    stream = stream_of(plant_at(cluster.servers))

    with listening(stream, inlet):
        wait_for(lambda: stream.state.kept == 10)
        inlet.holding = True
        sender.send("t", numbers(range(10, 20)))
        wait_for(lambda: inlet.held)
        sleep(0.5)  # ample time to tell
        before = committed(cluster.servers, GROUP, "t")[0]
        inlet.release()
        wait_for(lambda: stream.state.kept == 20)

    assert (before, committed(cluster.servers, GROUP, "t")[0]) == (10, 20)
    assert values(store) == [float(each) for each in range(20)]


class Scales(HeldInlet):
    """An inlet that weighs what it takes."""

    weights: tuple[int, ...] = ()

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        future = super().put(delivery, wait=wait)
        self.weights += (sum(each.count for each in delivery.readings),)
        return future


def test_while_there_is_no_room_the_cluster_waits_and_the_group_is_kept(
    cluster: Cluster, sender: Sender, intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(kafka, "MOST_WAITING", 1_000)
    monkeypatch.setattr(kafka_connection, "MOST_AT_ONCE", 1_000)
    inlet = Scales(intake)
    sender.send("t", [None])
    stream = stream_of(plant_at(cluster.servers))
    with listening(stream, inlet):
        wait_for(lambda: stream.state.kept == 1)
        inlet.full = True
        for part in range(4):
            sender.send("t", numbers(range(part * 4_000, (part + 1) * 4_000)), partition=part)
        sleep(0.9)  # much longer than its patience
        assert (stream.state.connected, stream.state.kept) == (True, 1), stream.state.why
        inlet.full = False
        wait_for(lambda: stream.state.kept == 16_001)

    assert max(inlet.weights) <= 2_001
    assert len(values(store)) == 16_000 == stream.state.received - 1


def test_positions_that_do_not_fit_are_said_and_read_on_from_where_it_is_right(
    cluster: Cluster, sender: Sender, intake: Intake, store: Store
) -> None:
    sender.send("t", [b'{"a": 1, "x": "%s"}' % (b"." * 100_000) for _ in range(60)])  # more than is held: 5 MB
    for partition in (1, 2, 3):
        sender.send("t", numbers(range(20)), partition=partition)
    for partition, noted in enumerate((2, 500, 15, 5)):
        store.set_note("bus", f"t {partition}", f"{noted} 0")
    commit(cluster.servers, GROUP, "t", {0: 2, 1: 20, 2: 10, 3: 15})

    stream = stream_of(plant_at(cluster.servers, KafkaTopic(topic="t", machine_is="m1", signals={"a": "a"})))
    with listening(stream, intake):
        wait_for(lambda: committed(cluster.servers, GROUP, "t") == [60, 20, 20, 20])

    said = sorted(each.reason for each in store.rejections("bus"))
    assert [each.partition(":")[0] for each in said] == [f"topic 't', partition {each}" for each in (0, 1, 3)]
    assert "messages 2 to " in said[0]
    assert "are lost, the cluster deleted them before they were read" in said[0]
    assert "message 500 would be next, but 20 is; the topic was made anew or cut off" in said[1]
    assert "messages 5 to 14 were read by another member of the group" in said[2]
    assert all(each in stream.state.notice for each in said)
    held_of_first = stream.state.received - 20 - 5 - 5
    assert 0 < held_of_first < 58


def test_two_members_of_a_group_share_its_messages_and_one_takes_over(
    cluster: Cluster, sender: Sender, intake: Intake, store: Store
) -> None:
    first, second = (stream_of(plant_at(cluster.servers)) for _ in range(2))
    sender.send("t", [None])
    sent = 0
    with listening(first, intake):
        with listening(second, intake):
            until = monotonic() + 15
            while not (first.state.kept > 100 and second.state.kept > 100):
                assert monotonic() < until, (first.state, second.state, committed(cluster.servers, GROUP, "t"))
                for part in range(4):
                    sender.send("t", numbers(range(sent, sent + 100)), partition=part)
                    sent += 100
                sleep(0.1)
        for part in range(4):
            sender.send("t", numbers(range(sent, sent + 100)), partition=part)
            sent += 100
        wait_for(lambda: sum(committed(cluster.servers, GROUP, "t")) == sent + 1)

    assert values(store) == [float(each) for each in range(sent)]


def test_a_stream_that_starts_at_the_end_misses_nothing_that_comes_while_it_is_away(
    cluster: Cluster, sender: Sender, intake: Intake, store: Store
) -> None:
    plant = plant_at(cluster.servers, start="latest")
    sender.send("t", numbers(range(10)))
    with listening(stream_of(plant), intake):
        pass
    sender.send("t", numbers(range(10, 15)))
    with listening(stream := stream_of(plant), intake):
        wait_for(lambda: stream.state.kept == 5)

    assert values(store) == [10.0, 11.0, 12.0, 13.0, 14.0]


def test_a_cluster_that_is_not_there_is_named(store: Store, intake: Intake) -> None:
    stream = stream_of(plant_at("127.0.0.1:1"))

    with listening(stream, intake) as errors:
        pass

    assert isinstance(errors[0], SourceError)
    assert str(errors[0]).startswith("127.0.0.1:1: no broker answers (")
    assert not stream.state.connected


def test_a_cluster_that_goes_ends_the_stream_with_the_reason(store: Store, intake: Intake) -> None:
    with cluster_apart() as cluster:
        Sender(cluster.servers).send("t", numbers(range(10)))
        stream = stream_of(plant_at(cluster.servers))
        with listening(stream, intake) as errors:
            wait_for(lambda: stream.state.kept == 10)
            cluster.end()
            wait_for(lambda: errors)

    assert "no broker answers" in stream.state.why
    assert values(store) == [float(each) for each in range(10)]


def test_a_cluster_that_goes_while_it_is_told_a_position_holds_nothing_up(store: Store, intake: Intake) -> None:
    inlet = HeldInlet(intake)
    with cluster_apart() as cluster:
        stream = stream_of(plant_at(cluster.servers))
        Sender(cluster.servers).send("t", [None])
        with listening(stream, inlet) as errors:
            wait_for(lambda: stream.state.kept == 1)
            inlet.holding = True
            Sender(cluster.servers).send("t", numbers(range(10)))
            wait_for(lambda: inlet.held)
            cluster.freeze()
            inlet.release()
            wait_for(lambda: stream.state.kept == 11)
            cluster.end()
            wait_for(lambda: errors)

    assert "no broker answers" in stream.state.why
    assert values(store) == [float(each) for each in range(10)]


@pytest.mark.slow
def test_a_cluster_that_stands_still_for_a_while_loses_and_doubles_nothing(store: Store, intake: Intake) -> None:
    with cluster_apart() as cluster:
        sender = Sender(cluster.servers)
        sender.send("t", numbers(range(100)))
        plant = plant_at(cluster.servers)
        for number, frozen in enumerate((0.5, 2.0)):
            with listening(stream_of(plant), intake):
                cluster.freeze()
                sleep(frozen)
                cluster.thaw()
                sender.send("t", numbers(range(100 + 100 * number, 200 + 100 * number)))
        with listening(stream_of(plant), intake):
            wait_for(lambda: len(values(store)) == 300)

    assert values(store) == [float(each) for each in range(300)]


def test_a_user_that_the_environment_does_not_know_is_named(intake: Intake) -> None:
    plant = plant_at("127.0.0.1:1", user_variable="KAFKA_USER", password_variable="KAFKA_PASSWORD")  # noqa: S106
    with listening(stream_of(plant, KAFKA_USER="anna"), intake) as errors:
        pass

    assert "the environment has no KAFKA_PASSWORD, which password_variable names" in str(errors[0])


@pytest.mark.parametrize(
    ("tls", "user", "protocol"),
    [(False, None, "PLAINTEXT"), (True, None, "SSL"), (False, "anna", "SASL_PLAINTEXT"), (True, "anna", "SASL_SSL")],
)
def test_secrets_and_encryption_are_told_to_the_client(tls: bool, user: str | None, protocol: str) -> None:
    stream = plant_at("k:9092", tls=tls, ca_file="ca.pem" if tls else "", sasl="scram-sha-256").kafka[0]

    told = settings(stream, Path("/plant"), "g", user, "secret" if user else None)

    assert told["security.protocol"] == protocol
    assert told.get("ssl.ca.location") == ("/plant/ca.pem" if tls else None)
    assert (told.get("sasl.mechanism"), told.get("sasl.username"), told.get("sasl.password")) == (
        ("SCRAM-SHA-256", "anna", "secret") if user else (None, None, None)
    )
