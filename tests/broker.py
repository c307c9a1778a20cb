"""A real MQTT broker for tests, on a free port, with a session store of its own."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic, sleep

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import free_port

_CONFIG = """
listener {port} 127.0.0.1
allow_anonymous {anonymous}
persistence true
persistence_location {folder}/
max_queued_messages 0
max_inflight_messages {inflight}
{more}
"""
_AT_ONCE = 10_000
"""Messages that wait for the broker together; paho takes no more than 65,535."""


class Broker:
    """A Mosquitto that queues without bound and keeps sessions when it is stopped."""

    def __init__(
        self, program: str, folder: Path, *, inflight: int = 20, anonymous: bool = True, more: str = "", tls: str = ""
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.port, self.tls_port = free_port(), free_port()
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

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it do nothing at all for a while, with all its connections open."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


class Publisher:
    """Publishes with quality of service 1, and returns when the broker has acknowledged all."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(1000)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, messages: Iterable[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publish messages."""
        coming = iter(messages)
        while sent := [self._client.publish(*each, 1, retain) for each in islice(coming, _AT_ONCE)]:
            for each in sent:
                each.wait_for_publish(20)
                assert each.is_published(), "the broker did not acknowledge"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


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
