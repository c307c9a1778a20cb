"""MQTT: the state of each machine, retained at a broker."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import DeliveryError, SourceError
from ingest.plant_target import MessageTarget
from ingest.sources.mqtt_connection import require_paho
from service.delivery.body import machines_in
from service.delivery.channels.channel import Surroundings
from service.delivery.channels.trust import trust
from service.delivery.machine_state import machine_state
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeKind
from service.delivery.outcome import Later, Never, Outcome, Sent
from service.delivery.secret import secret_of

TOPIC = "andon/{machine}"
_FOR_GOOD = 0x80
_KEEP_ALIVE_SECONDS = 30
_LEVEL = str.maketrans({"/": "_", "+": "_", "#": "_", "\0": "_"})


class MqttChannel:
    """A broker, as a ``Channel``: quality of service 1, retained; one connection that is kept.

    What is sent is the state of the machine at that moment, as the alerts have it: messages of one machine are sent
    one at a time, so the newest state is what stays.
    """

    def __init__(self, target: MessageTarget, around: Surroundings) -> None:
        try:
            require_paho()
        except SourceError as error:
            raise DeliveryError(f"target {target.name!r}: {error}") from error
        self._target, self._around = target, around
        parts = urlsplit(target.address)
        self._tls, self._host = parts.scheme == "mqtts", parts.hostname or ""
        self._port = parts.port or (8883 if self._tls else 1883)
        self._ca_file = around.plant.folder / target.ca_file if target.ca_file else None
        self._client: Any = None
        self._answered, self._acknowledged = Event(), Event()
        self._refusal, self._code = "", 0

    def send(self, notice: Notice, now: datetime) -> Outcome:
        """See ``Channel``; a test is not retained."""
        until = monotonic() + self._target.timeout.total_seconds()
        if self._client is None and (why := self._connect(until)):
            return Later(why)
        machines = machines_in(notice.body)
        for machine in machines:
            state = machine_state(machine, self._around.live_alerts(machine), message=notice.message, at=now)
            if not isinstance(outcome := self._publish(notice, machine, state, until), Sent):
                return outcome
        return Sent() if machines else self._publish(notice, "", notice.body, until)

    def _publish(self, notice: Notice, machine: str, body: Mapping[str, Any], until: float) -> Outcome:
        payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self._acknowledged.clear()
        # The state of a machine stays for whoever comes later; what is no state, nobody would ever take away again.
        retain = bool(machine) and notice.kind is not NoticeKind.TEST
        topic = topic_of(machine, notice.kind, self._target, self._around)
        why = "no acknowledgement in time"
        try:
            sent = self._client.publish(topic, payload, qos=1, retain=retain)
            arrived = not sent.rc and self._acknowledged.wait(max(0.0, until - monotonic()))
        except (OSError, ValueError) as error:
            arrived, why = False, str(error)
        if not arrived:
            self.close()
            return Later(f"{self._place}: {self._refusal or why}")
        if self._code >= _FOR_GOOD:
            return Never(f"the broker does not take it (code {self._code}); may this user publish there?")
        return Sent()

    def check(self) -> str:
        """See ``Channel``."""
        why = self._connect(monotonic() + self._target.timeout.total_seconds())
        self.close()
        return why

    def close(self) -> None:
        """See ``Channel``."""
        if self._client is not None:
            with suppress(OSError):
                self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    @property
    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    def _connect(self, until: float) -> str:
        """Connect; return why not, empty if it is done."""
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.close()
        password = secret_of(self._target, self._around.environment, self._around.plant.folder)
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = max(0.01, until - monotonic())
        client.on_connect, client.on_publish = self._on_connect, self._on_publish
        client.on_disconnect = self._on_disconnect
        if self._target.user:
            client.username_pw_set(self._target.user, password)
        if self._tls:
            client.tls_set_context(trust(self._ca_file))
        self._answered.clear()
        self._refusal = ""
        try:
            client.connect(self._host, self._port, _KEEP_ALIVE_SECONDS)
        except OSError as error:
            return f"no broker answers at {self._place} ({error.strerror or error})"
        client.loop_start()
        self._client = client
        if not self._answered.wait(max(0.0, until - monotonic())) or self._refusal:
            why = self._refusal or "does not answer"
            self.close()
            return f"the broker at {self._place} {why}"
        return ""

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._refusal = f"refuses: {code}" if code.is_failure else ""
        self._answered.set()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._refusal = self._refusal or f"ended the connection: {code}"
        self._answered.set()

    def _on_publish(self, _client: Any, _data: Any, _packet: int, code: Any, _properties: Any) -> None:
        self._code = code.value
        self._acknowledged.set()


def topic_of(name: str, kind: NoticeKind, target: MessageTarget, around: Surroundings) -> str:
    """Return the topic of a machine's state; a message that tells of none has its kind in the machine's place."""
    machine = {each.name: each for each in around.plant.machines}.get(name)
    words = {
        "machine": name or kind.value,
        "plant": around.plant.name,
        "site": machine.site if machine else "",
        "line": machine.line if machine else "",
    }
    return (target.topic or TOPIC).format(**{word: value.translate(_LEVEL) or "-" for word, value in words.items()})
