"""A plant that reads a topic of a Kafka cluster."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.sources.kafka import KafkaStream
from ingest.store import Store

TOPIC = KafkaTopic(topic="t", machine_is="{key}")


def plant_at(servers: str, *topics: KafkaTopic, machines: tuple[str, ...] = ("m1", "m2"), **more: Any) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a"), Signal(name="b")])
    return Plant(
        name="Works",
        classes=[press],
        machines=[Machine(name=each, machine_class="press") for each in machines],
        kafka=[Kafka(name="bus", servers=[servers], topics=list(topics or (TOPIC,)), **more)],
    )


def stream_of(plant: Plant, **environment: str) -> KafkaStream:
    return KafkaStream(plant.kafka[0], plant, clock=lambda: datetime.now(UTC), environment=environment)


def numbers(some: Iterable[int]) -> list[bytes]:
    return [b'{"a": %d}' % each for each in some]


def values(store: Store) -> list[float]:
    return sorted(each for each in store.read("press", signals=["a"]).table["a"].to_pylist() if each is not None)
