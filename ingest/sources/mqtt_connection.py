"""A connection to an MQTT broker through paho, driven by one thread, and a bell that other threads may ring."""

import contextlib
import select
import socket
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple, Self

from ingest.errors import SourceError
from ingest.plant_mqtt import Mqtt

KEEP_ALIVE_SECONDS = 30
"""A broker that sends nothing for so long is asked; if it is silent for as long again, it is lost."""
WAIT_SECONDS = 5.0
LARGEST_PACKET = 16 << 20
_KEEP_ALIVE_TIMEOUT = 141
_MOST_AT_ONCE = 1_000
_MOST_BYTES_AT_ONCE = 1 << 20


class Incoming(NamedTuple):
    """A message; its packet's number is 0 if none is to be acknowledged."""

    topic: bytes
    payload: bytes
    packet: int
    again: bool
    retained: bool


class Connection:
    """A connection; it is opened, and its session begins, with ``begin``.

    Raises
    ------
    SourceError
        When there is no broker, it refuses, or the connection is lost; this may come from every method.
    """

    def __init__(
        self, stream: Mqtt, folder: Path, client_id: str, user: str | None = None, password: str | None = None
    ) -> None:
        require_paho()
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.version = 5 if stream.protocol == "5" else 4
        """Number of the protocol, as its packets have it."""
        self._stream = stream
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if self.version == 5 else paho.MQTTv311,
            clean_session=None if self.version == 5 else False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = WAIT_SECONDS
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        if user is not None or password is not None:
            self._client.username_pw_set(user or "", password)
        if stream.tls:
            self._client.tls_set_context(_context(stream, folder))
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._messages: list[Incoming] = []
        self._bytes = 0
        self._answers: list[list[int]] = []
        self._session: bool | None = None
        self._why = ""

    def begin(self, receive_maximum: int, keep_alive: int) -> bool:
        """Begin the session, or go on with it; return whether the broker still had it."""
        host, _, port = where(self._stream).rpartition(":")
        more = {"clean_start": False, "properties": self._wishes(receive_maximum)} if self.version == 5 else {}
        try:
            self._client.connect(host, int(port), keep_alive, **more)
        except ssl.SSLError as error:
            raise SourceError(f"no encrypted connection ({error})") from error
        except OSError as error:
            raise SourceError(f"no broker answers ({error.strerror or error})") from error
        until = monotonic() + WAIT_SECONDS
        while self._session is None:
            if monotonic() > until:
                raise SourceError("the broker does not answer")
            self._turn(0.2)
        return self._session

    def read(self, wait: float) -> list[Incoming]:
        """Return the messages that come within ``wait`` seconds."""
        self._turn(0 if self._messages else wait)
        messages, self._messages, self._bytes = self._messages, [], 0
        return messages

    def answers(self) -> list[list[int]]:
        """Return the codes of each subscription that was answered since the last call; 128 and more is no."""
        answers, self._answers = self._answers, []
        return answers

    def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with quality of service 1; kept messages come for new filters only (MQTT 5)."""
        from paho.mqtt.subscribeoptions import SubscribeOptions

        options: Any = SubscribeOptions(qos=1, retainHandling=1) if self.version == 5 else 1
        self._expect(self._client.subscribe([(each, options) for each in filters])[0])

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """End subscriptions."""
        self._expect(self._client.unsubscribe(list(filters))[0])

    def acknowledge(self, packets: Iterable[int]) -> None:
        """Acknowledge messages, in this order."""
        for each in packets:
            self._expect(self._client.ack(each, 1))
        self._flush()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message with quality of service 0."""
        self._expect(self._client.publish(topic, payload).rc)
        self._flush()

    def idle(self, wait: float) -> None:
        """Wait for the bell and read nothing, so that the broker waits, too."""
        self._wait([], [], wait)
        self._expect(self._client.loop_misc())

    def ring(self) -> None:
        """Wake whoever waits; may be called from any thread."""
        with contextlib.suppress(OSError):  # rung already, or nobody is there any more
            self._bell.send(b"\0")

    def leave(self) -> None:
        """Say that nothing more will come; the session stays."""
        self._client.disconnect()
        self._flush()

    def close(self) -> None:
        """Let go of the connection; the session stays."""
        stream = self._client.socket()
        for each in (stream, self._bell, self._ear):
            if each is not None:
                each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _turn(self, wait: float) -> None:
        """Let paho read what is there."""
        stream = self._client.socket()
        if stream is None:
            raise SourceError(self._why or "the broker closed the connection")
        pending = isinstance(stream, ssl.SSLSocket) and stream.pending()
        self._wait([stream], [stream] if self._client.want_write() else [], 0 if pending else wait)
        self._expect(self._client.loop_write())
        before = -1
        # One call reads one packet; the first that brings no message has found nothing, or an answer.
        while before < len(self._messages) < _MOST_AT_ONCE and self._bytes < _MOST_BYTES_AT_ONCE:
            before = len(self._messages)
            self._expect(self._client.loop_read())
        self._expect(self._client.loop_misc())

    def _flush(self) -> None:
        until = monotonic() + WAIT_SECONDS
        while self._client.want_write():
            stream = self._client.socket()
            if stream is None or monotonic() > until:
                raise SourceError(self._why or "the broker takes nothing any more")
            self._wait([], [stream], 0.2)
            self._expect(self._client.loop_write())

    def _expect(self, code: int) -> None:
        if self._why:
            raise SourceError(self._why)
        if code:
            raise SourceError("the broker closed the connection; does another client use the same client_id?")

    def _wait(self, readers: list[Any], writers: list[Any], seconds: float) -> None:
        ready, _, _ = select.select([*readers, self._ear], writers, [], seconds)
        if self._ear in ready:
            self._ear.recv(4096)

    def _wishes(self, receive_maximum: int) -> Any:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wishes.SessionExpiryInterval = min(int(self._stream.session_expiry.total_seconds()), 0xFFFFFFFF)
        wishes.ReceiveMaximum = receive_maximum
        wishes.MaximumPacketSize = LARGEST_PACKET
        return wishes

    def _on_connect(self, _client: Any, _data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure:
            self._why = f"the broker refuses: {code}"
        elif getattr(properties, "MaximumQoS", 1) == 0:
            self._why = "the broker offers no quality of service 1; nothing could be acknowledged"
        else:
            self._session = bool(flags.session_present)

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, code: Any, _properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._why = self._why or f"the broker ended the connection: {code}"
        elif code.value == _KEEP_ALIVE_TIMEOUT:
            self._why = self._why or "the broker is connected, but answers nothing any more"

    def _on_subscribe(self, _client: Any, _data: Any, _packet: int, codes: Sequence[Any], _properties: Any) -> None:
        self._answers.append([each.value for each in codes])

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self._bytes += len(message.payload)
        self._messages.append(
            Incoming(message.topic.encode(), message.payload, message.mid, bool(message.dup), bool(message.retain))
        )


def require_paho() -> None:
    """Raise ``SourceError`` if ``paho-mqtt`` is not installed."""
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError as error:
        raise SourceError("MQTT needs a package that is not installed; run: pip install 'andon[mqtt]'") from error


def where(stream: Mqtt) -> str:
    """Return the address of a stream's broker."""
    return f"{stream.host}:{stream.port or (8883 if stream.tls else 1883)}"


class _EncryptedSocket(ssl.SSLSocket):
    """Closes itself if the handshake fails; paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _context(stream: Mqtt, folder: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / stream.ca_file) if stream.ca_file else None)
    except OSError as error:
        raise SourceError(f"no encrypted connection ({error})") from error
    context.sslsocket_class = _EncryptedSocket
    return context
