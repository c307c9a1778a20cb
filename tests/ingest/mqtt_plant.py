"""A plant that listens to a broker, and a stream of it that runs in the background."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from ingest.intake import Inlet
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.sources.mqtt import MqttStream
from ingest.sources.stream import Stream
from ingest.sources.turn import Turn

NUMBER = MqttTopic(template="plant/{line}/{machine}/{signal}")
WIDE = MqttTopic(template="wide/{machine}", payload="json")


def plant_at(port: int, *topics: MqttTopic, machines: tuple[str, ...] = ("m1", "m2"), **more: Any) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a"), Signal(name="b")])
    stream = Mqtt(name="hall", host="127.0.0.1", port=port, topics=list(topics or (NUMBER, WIDE)), **more)
    return Plant(
        name="Works",
        classes=[press],
        machines=[Machine(name=each, machine_class="press") for each in machines],
        mqtt=[stream],
    )


def stream_of(plant: Plant, *, keep_alive: int = 30, turn: Turn | None = None, **environment: str) -> MqttStream:
    return MqttStream(
        plant.mqtt[0], plant, clock=lambda: datetime.now(UTC), environment=environment, keep_alive=keep_alive, turn=turn
    )


def wait_for(true: Callable[[], object], seconds: float = 20.0) -> None:
    until = monotonic() + seconds
    while not true():
        assert monotonic() < until, "it did not come about"
        sleep(0.01)


@contextmanager
def listening(stream: Stream, inlet: Inlet) -> Iterator[list[Exception]]:
    """Run a stream in the background; at the end it is told to stop and has settled everything.

    The list that is given has the error that ended it, if one did.
    """
    stop = Event()
    errors: list[Exception] = []

    def run() -> None:
        try:
            stream.run(inlet, stop)
        except Exception as error:
            errors.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: stream.state.connected or errors)
        yield errors
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
