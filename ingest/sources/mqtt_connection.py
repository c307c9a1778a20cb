"""A connection to an MQTT broker: bytes in and out, and a bell that other threads may ring."""

import contextlib
import select
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from ingest.errors import SourceError
from ingest.plant_mqtt import Mqtt
from ingest.sources import mqtt_packet as packet
from ingest.sources.mqtt_packet import Control, Incoming

KEEP_ALIVE_SECONDS = 30
WAIT_SECONDS = 5.0
LARGEST_PACKET = 16 << 20
_READ_BYTES = 1 << 17
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """An open connection; its session begins with ``begin``.

    Raises
    ------
    SourceError
        When there is no broker, it refuses, or the connection is lost; this may come from every method.
    """

    def __init__(self, stream: Mqtt, folder: Path) -> None:
        self.version = 5 if stream.protocol == "5" else 4
        """Number of the protocol, as its packets have it."""
        self._socket = _opened(stream, folder)
        self._socket.setblocking(False)
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._rest: list[bytes] = []
        self._answers: list[Control] = []
        self._numbers = 0
        self._keep_alive = float(KEEP_ALIVE_SECONDS)
        self._spoken = self._heard = monotonic()

    def begin(self, client_id: str, stream: Mqtt, receive_maximum: int, user: str | None, password: str | None) -> bool:
        """Begin the session, or go on with it; return whether the broker still had it."""
        self.send(
            packet.connect(
                self.version,
                client_id,
                keep_alive=KEEP_ALIVE_SECONDS,
                expiry=min(int(stream.session_expiry.total_seconds()), 0xFFFFFFFF),
                receive_maximum=receive_maximum,
                largest=LARGEST_PACKET,
                user=user,
                password=password,
            )
        )
        until = monotonic() + WAIT_SECONDS
        while monotonic() < until:
            data = self._receive(0.2)
            if not data:
                continue
            if data[0] >> 4 != packet.CONNACK:
                raise SourceError("this is no MQTT broker")
            # Messages that wait in the session may come right behind the answer.
            end = 2 + data[1]
            self._rest = [data[end:]]
            answer = packet.accepted(data[2:end], self.version)
            self._keep_alive = float(answer.keep_alive or KEEP_ALIVE_SECONDS)
            return answer.session
        raise SourceError("the broker does not answer")

    def read(self, wait: float) -> list[Incoming]:
        """Return the messages that come within ``wait`` seconds."""
        data = self._receive(wait)
        self._keep_up()
        if monotonic() - self._heard > 1.5 * self._keep_alive + WAIT_SECONDS:
            raise SourceError("nothing is heard of the broker any more")
        messages, controls, end = packet.take(data, self.version)
        if end:
            self._rest = [data[end:]]
        for each in controls:
            if each.kind == packet.DISCONNECT:
                why = packet.reason(each.body[0]) if each.body else "it gives no reason"
                raise SourceError(f"the broker ended the connection: {why}")
            self._answers.append(each)
        return messages

    def answers(self) -> list[Control]:
        """Return the answers to what we sent that came since the last call."""
        answers, self._answers = self._answers, []
        return answers

    def number(self) -> int:
        """Return a number for a packet of ours."""
        self._numbers = self._numbers % 65_535 + 1
        return self._numbers

    def idle(self, wait: float) -> None:
        """Wait for the bell and read nothing, so that the broker waits, too."""
        self._wait([], [], wait)
        self._keep_up()

    def ring(self) -> None:
        """Wake whoever waits; may be called from any thread."""
        with contextlib.suppress(OSError):  # rung already, or nobody is there any more
            self._bell.send(b"\0")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        until = monotonic() + WAIT_SECONDS
        while view:
            try:
                view = view[self._socket.send(view) :]
            except _NOT_NOW as error:
                if monotonic() > until:
                    raise SourceError("the broker takes nothing any more") from error
                self._wait([], [self._socket], 0.2)
            except OSError as error:
                raise SourceError(f"the connection is lost ({_said(error)})") from error
        self._spoken = monotonic()

    def close(self) -> None:
        """Let go of the connection; the session stays."""
        for each in (self._socket, self._bell, self._ear):
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self, wait: float) -> bytes:
        """Return all that came and was not taken yet, if it begins with a whole packet."""
        if not self._is_whole():
            pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
            self._wait([self._socket], [], 0 if pending else wait)
            try:
                data = self._socket.recv(_READ_BYTES)
            except _NOT_NOW:
                return b""
            except OSError as error:
                raise SourceError(f"the connection is lost ({_said(error)})") from error
            if not data:
                raise SourceError("the broker closed the connection; does another client use the same client_id?")
            self._heard = monotonic()
            self._rest.append(data)
            if not self._is_whole():
                return b""
        return b"".join(self._rest)

    def _is_whole(self) -> bool:
        """Whether there is a whole packet; a large one is not put together before that."""
        head = b"".join(self._rest[:5])[:5]
        size = 0
        for place in range(1, len(head)):
            size |= (head[place] & 127) << (7 * place - 7)
            if head[place] < 128:
                return sum(map(len, self._rest)) > place + size
        return len(head) == 5

    def _keep_up(self) -> None:
        if monotonic() - self._spoken > self._keep_alive / 2:
            self.send(packet.PING)

    def _wait(self, readers: list[socket.socket], writers: list[socket.socket], seconds: float) -> None:
        ready, _, _ = select.select([*readers, self._ear], writers, [], seconds)
        if self._ear in ready:
            self._ear.recv(4096)


def credentials(stream: Mqtt, environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return user and password from the environment; raises ``SourceError`` if they are not there."""
    found = []
    for key, variable in (("user_variable", stream.user_variable), ("password_variable", stream.password_variable)):
        if variable and variable not in environment:
            raise SourceError(f"stream {stream.name!r}: the environment has no {variable}, which {key} names; set it")
        found.append(environment[variable] if variable else None)
    return found[0], found[1]


def where(stream: Mqtt) -> str:
    """Return the address of a stream's broker."""
    return f"{stream.host}:{stream.port or (8883 if stream.tls else 1883)}"


def _opened(stream: Mqtt, folder: Path) -> socket.socket:
    host, _, port = where(stream).rpartition(":")
    try:
        plain = socket.create_connection((host, int(port)), timeout=WAIT_SECONDS)
    except OSError as error:
        raise SourceError(f"no broker answers ({_said(error)})") from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not stream.tls:
        return plain
    try:
        path = str(folder / stream.ca_file) if stream.ca_file else None
        return ssl.create_default_context(cafile=path).wrap_socket(plain, server_hostname=host)
    except (OSError, ValueError) as error:
        plain.close()
        raise SourceError(f"no encrypted connection ({error})") from error


def _said(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
