"""A real MQTT broker for tests, on a free port, with a session store of its own."""

import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from ingest.sources import mqtt_packet

_CONFIG = """
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence true
persistence_location {folder}/
max_queued_messages 0
max_inflight_messages {inflight}
{more}
"""


class Broker:
    """A Mosquitto that queues without bound and keeps sessions when it is stopped."""

    def __init__(
        self, program: str, folder: Path, *, inflight: int = 20, anonymous: bool = True, more: str = "", tls: str = ""
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.port, self.tls_port = _free_port(), _free_port()
        user = "user root\n" if os.geteuid() == 0 else ""
        listener = f"listener {self.tls_port} 127.0.0.1\n{tls}" if tls else ""
        config = _CONFIG.format(
            port=self.port,
            folder=folder,
            inflight=inflight,
            anonymous=str(anonymous).lower(),
            more=user + more + listener,
        )
        self._config = folder / "mosquitto.conf"
        self._config.write_text(config, encoding="utf-8")
        self._program = program
        self.start()

    def start(self) -> None:
        """Start, and return when it listens."""
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        until = monotonic() + 10
        while monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                sleep(0.02)
            else:
                return
        raise TimeoutError("mosquitto does not listen")

    def stop(self) -> None:
        """Stop as a service manager does; sessions and what waits in them are kept."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)


class Publisher:
    """Publishes fast with quality of service 1, and returns when the broker has acknowledged all."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.sendall(
            mqtt_packet.connect(4, "", keep_alive=0, expiry=0, receive_maximum=1, largest=1, fresh=True)
        )
        assert self._socket.recv(4)[3:] == b"\0"
        self._number = 0

    def send(self, messages: Iterable[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publish messages, a thousand at a time."""
        some: list[bytes] = []
        for topic, payload in messages:
            self._number = self._number % 65_535 + 1
            some.append(_publish(topic, payload, self._number, retain=retain))
            if len(some) == 1000:
                self._flush(some)
        self._flush(some)

    def close(self) -> None:
        self._socket.close()

    def _flush(self, some: list[bytes]) -> None:
        self._socket.sendall(b"".join(some))
        left = 4 * len(some)
        while left:
            data = self._socket.recv(left)
            assert data, "the broker closed the connection"
            left -= len(data)
        some.clear()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _publish(topic: str, payload: bytes, number: int, *, retain: bool) -> bytes:
    body = struct.pack("!H", len(topic.encode())) + topic.encode() + struct.pack("!H", number) + payload
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) % 128 | 128, len(body) // 128])
    assert len(body) < 16_384
    return bytes([0x32 | retain]) + size + body


def mosquitto() -> str:
    """Return the broker's program; skip the test where there is none, unless this is CI."""
    program = shutil.which(
        "mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    )
    if program is None:
        why = "no mosquitto here; install it: apt-get install mosquitto"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return program


@contextmanager
def running_broker(folder: Path, **options: object) -> Iterator[Broker]:
    """Give a broker, and stop it at the end."""
    broker = Broker(mosquitto(), folder, **options)  # type: ignore[arg-type]
    try:
        yield broker
    finally:
        broker.stop()
