"""Streams beside the web application: tried again, told of, counted, and stopped in order."""

import io
import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest

from ingest.delivery import Delivery, Receipt
from ingest.errors import SourceError
from ingest.intake import Inlet
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.sources.stream import StreamState
from ingest.store import Store
from service.streams import Streams, streams_of
from service.structured_logs import configure_logs
from tests.broker import Publisher, running_broker
from tests.ingest.mqtt_plant import wait_for

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Inlets:
    """An inlet that keeps nothing."""

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        future: Future[Receipt] = Future()
        future.set_result(Receipt(fresh=True))
        return future

    def refuses(self) -> str:
        return ""

    def notes(self, source: str) -> dict[str, str]:
        return {}


class Fickle:
    """A stream that is lost a few times before it stays."""

    def __init__(self, name: str, *failures: Exception) -> None:
        self.name = name
        self.state = StreamState(connected=False, why="not started", since=None)
        self.tries = 0
        self._failures = list(failures)

    def run(self, inlet: Inlet, stop: Event) -> None:
        self.tries += 1
        if self._failures:
            error = self._failures.pop(0)
            self.state = replace(self.state, connected=False, why=str(error), since=NOW)
            raise error
        self.state = replace(self.state, connected=True, why="", since=NOW)
        stop.wait()
        self.state = replace(self.state, connected=False, why="stopped", since=NOW)


def test_a_stream_that_is_lost_is_tried_again_and_disturbs_no_other() -> None:
    lines = io.StringIO()
    configure_logs(stream=lines)
    bad = Fickle("bad", SourceError("no broker answers"), SourceError("no broker answers"), ZeroDivisionError("ours"))
    good = Fickle("good")
    streams = Streams([bad, good], Inlets(), random=Random(1), first_pause=0.01)  # noqa: S311

    streams.start()
    wait_for(lambda: bad.state.connected and good.state.connected)
    wait_for(lambda: '"stream": "bad", "connected": true' in lines.getvalue())
    streams.stop()

    assert (bad.tries, good.tries) == (4, 1)
    assert {name: each.why for name, each in streams.states().items()} == {"bad": "stopped", "good": "stopped"}
    told = [json.loads(line) for line in lines.getvalue().splitlines() if '"event": "stream"' in line]
    assert len([each for each in told if each["connected"]]) == 2


def test_what_a_person_should_know_of_a_stream_is_told_once() -> None:
    lines = io.StringIO()
    configure_logs(stream=lines)
    stream = Fickle("bus")
    stream.state = replace(stream.state, notice="messages 3 to 7 are lost", since=NOW)
    streams = Streams([stream], Inlets(), random=Random(1))  # noqa: S311

    streams.start()
    wait_for(lambda: "messages 3 to 7 are lost" in lines.getvalue())
    wait_for(lambda: '"connected": true' in lines.getvalue())
    streams.stop()

    assert lines.getvalue().count("stream notice") == 1


def test_each_broker_and_each_cluster_of_the_plant_file_is_a_stream() -> None:
    press = MachineClass(name="press", signals=[Signal(name="force")])
    plant = Plant(
        classes=[press],
        machines=[Machine(name="p1", machine_class="press")],
        mqtt=[Mqtt(name="hall", host="localhost", topics=[MqttTopic(template="plant/{machine}/{signal}")])],
        kafka=[Kafka(name="bus", servers=["localhost:9092"], topics=[KafkaTopic(topic="t")])],
    )

    assert [each.name for each in streams_of(plant, lambda: NOW)] == ["hall", "bus"]


def test_a_stream_that_stays_away_is_tried_ever_less_often() -> None:
    away = Fickle("away", *[SourceError("no")] * 1000)
    streams = Streams([away], Inlets(), random=Random(1), first_pause=0.02)  # noqa: S311

    streams.start()
    Event().wait(0.7)
    streams.stop()

    assert 3 <= away.tries <= 8


def test_a_plant_without_streams_has_no_threads() -> None:
    streams = Streams([], Inlets())
    streams.start()
    streams.stop()
    assert streams.states() == {}


@pytest.mark.parametrize("connected", [True, False])
def test_metrics_say_of_each_stream_whether_it_listens_and_what_it_counts(
    works_with: Callable[..., Any], connected: bool
) -> None:
    stream = Fickle("hall 3", *([] if connected else [SourceError("no")] * 1000))
    stream.state = replace(stream.state, received=5, kept=4, repeated=1)
    works = works_with(make_streams=lambda plant, clock: [stream])
    wait_for(lambda: stream.tries)

    text = works.client.get("/metrics").text

    assert f'andon_stream_connected{{stream="hall 3"}} {float(connected)}' in text
    assert 'andon_stream_messages_total{stream="hall 3",what="kept"} 4.0' in text
    assert works.client.get("/readyz").status_code == 200  # a broker that is away is no reason to end us


def test_the_application_listens_and_stops_with_everything_durable(
    tmp_path: Path, works_with: Callable[..., Any]
) -> None:
    with running_broker(tmp_path / "broker") as broker:

        def listen(plant: Plant, clock: Callable[[], datetime]) -> Any:
            topic = MqttTopic(template="plant/{machine}/{signal}")
            mqtt = [Mqtt(name="hall", host="127.0.0.1", port=broker.port, topics=[topic])]
            return streams_of(plant.model_copy(update={"mqtt": mqtt}), lambda: datetime.now(UTC))

        works = works_with(make_streams=listen)
        wait_for(lambda: works.client.app.state.streams.states()["hall"].connected)
        publisher = Publisher(broker.port)
        publisher.send((f"plant/press-1/{signal}", b"21.5") for signal in ["temperature"] * 500)
        publisher.close()
        folder = works.room.plant.data_folder
        wait_for(lambda: works.client.app.state.streams.states()["hall"].received)
        works.client.__exit__(None, None, None)

        state = works.client.app.state.streams.states()["hall"]
        store = Store(folder)
        assert store.counts().readings == state.kept == state.received
        assert state.why == "stopped"
        store.close()
        works.client.__enter__()
