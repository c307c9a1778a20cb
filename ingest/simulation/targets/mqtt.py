"""Play to an MQTT broker: a message with quality of service 1 for each reading."""

from threading import BoundedSemaphore, Event
from typing import Any, Self
from urllib.parse import SplitResult

from ingest.errors import TargetError
from ingest.reading import KEY_COLUMNS, Readings
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch
from ingest.simulation.targets.target import place
from ingest.sources.mqtt_connection import require_paho

TEMPLATE = "plant/{line}/{machine}/{signal}"
WAIT_SECONDS = 30.0
_UNDER_WAY = 1_000
_NOBODY_LISTENS = 16
_TABLES = """
[[mqtt]]
name = "simulation"
host = "{host}"
port = {port}

[[mqtt.topics]]
template = "{template}"
payload = "json"
"""


class MqttTarget:
    """A broker, as a ``Target``; it takes no events. A reading that nobody listens to is not taken (MQTT 5)."""

    def __init__(self, address: SplitResult, scenario: Scenario) -> None:
        require_paho()
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self._host, self._port = place(address, 1883)
        self._topics = {
            each.name: TEMPLATE.format(line=each.line, machine=each.name, signal="") for each in scenario.plant()
        }
        self._room = BoundedSemaphore(_UNDER_WAY)
        self._taken = 0
        self._answered = Event()
        self._refusal = ""
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(_UNDER_WAY)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish

    @property
    def tables(self) -> str:
        """See ``Target``."""
        return _TABLES.format(host=self._host, port=self._port, template=TEMPLATE)

    def send(self, batch: LiveBatch) -> int:
        """See ``Target``."""
        before = self._taken
        for readings in batch.readings:
            self._publish(readings)
        for _ in range(_UNDER_WAY):
            self._take_room()
        self._room.release(_UNDER_WAY)
        return self._taken - before

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._host, self._port)
        except OSError as error:
            why = f"no broker answers at {self._host}:{self._port}"
            raise TargetError(f"{why} ({error.strerror or error}); is it running?") from error
        self._client.loop_start()
        if not self._answered.wait(WAIT_SECONDS) or self._refusal:
            self.__exit__()
            raise TargetError(f"the broker at {self._host}:{self._port} {self._refusal or 'does not answer'}")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, readings: Readings) -> None:
        columns = readings.table.to_pydict()
        times = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in columns["time"]]
        signals = [(name, columns[name]) for name in columns if name not in KEY_COLUMNS]
        for row, (machine, time) in enumerate(zip(columns["machine"], times, strict=True)):
            for signal, values in signals:
                if values[row] is not None:
                    self._take_room()
                    payload = f'{{"time": "{time}", "value": {values[row]}}}'
                    self._client.publish(self._topics[machine] + signal, payload, qos=1)

    def _take_room(self) -> None:
        if not self._room.acquire(timeout=WAIT_SECONDS):
            raise TargetError(f"the broker at {self._host}:{self._port} acknowledges nothing any more")

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._refusal = f"refuses: {code}" if code.is_failure else ""
        self._answered.set()

    def _on_publish(self, _client: Any, _data: Any, _packet: int, code: Any, _properties: Any) -> None:
        self._taken += code.value != _NOBODY_LISTENS and not code.is_failure
        self._room.release()
