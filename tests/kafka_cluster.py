"""A Kafka cluster for tests: the one that librdkafka brings, which keeps everything in memory."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

from confluent_kafka import Consumer, Producer, TopicPartition, cimpl

PARTITIONS = 4
"""So many has each topic of such a cluster."""
_QUIET: dict[str, Any] = {"log_level": 0}
_GATHERED_MILLISECONDS = 200
"""So long a group without members waits for more of them when the first one joins; left alone it waits 3 s."""
_PRODUCER = 0

_PROCESS = """
import sys
from tests.kafka_cluster import Cluster
cluster = Cluster()
print(cluster.servers, flush=True)
sys.stdin.read()
"""


class Cluster:
    """A cluster within this process, which lives as long as this object."""

    def __init__(self) -> None:
        # How long a group waits is told in C alone.
        library, why = ctypes.CDLL(cimpl.__file__), ctypes.create_string_buffer(512)
        for name in ("conf_new", "new", "handle_mock_cluster"):
            getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        settings = ctypes.c_void_p(library.rd_kafka_conf_new())
        for name, value in ((b"test.mock.num.brokers", b"1"), (b"log_level", b"0")):
            library.rd_kafka_conf_set(settings, name, value, why, ctypes.c_size_t(len(why)))
        owner = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, settings, why, ctypes.c_size_t(len(why))))
        assert owner, why.value.decode()
        finalize(self, library.rd_kafka_destroy, owner).atexit = False
        cluster = ctypes.c_void_p(library.rd_kafka_handle_mock_cluster(owner))
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, _GATHERED_MILLISECONDS)
        self.servers = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()


class Sender:
    """Sends messages and returns when the cluster has them."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer({**_QUIET, "bootstrap.servers": servers, "linger.ms": 5})

    def send(self, topic: str, bodies: Iterable[bytes | None], *, partition: int = 0, key: bytes = b"m1") -> None:
        """Send messages to one partition."""
        for each in bodies:
            self._producer.produce(topic, each, key, partition)
            self._producer.poll(0)
        assert self._producer.flush(20) == 0, "the cluster did not take it"


def committed(servers: str, group: str, topic: str) -> list[int]:
    """Return where a group reads on in each partition; -1001 where it never read."""
    consumer = Consumer({**_QUIET, "bootstrap.servers": servers, "group.id": group})
    found = consumer.committed([TopicPartition(topic, each) for each in range(PARTITIONS)], timeout=10)
    consumer.close()
    return [each.offset for each in found]


def commit(servers: str, group: str, topic: str, offsets: dict[int, int]) -> None:
    """Say where a group without members reads on."""
    consumer = Consumer({**_QUIET, "bootstrap.servers": servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, *each) for each in offsets.items()], asynchronous=False)
    consumer.close()


class Apart:
    """A cluster in a process of its own, which can be made to stand still."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.servers = process.stdout.readline().strip()

    def freeze(self) -> None:
        """Let it answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End it, with all that it holds."""
        self._process.kill()
        self._process.wait(10)


@contextmanager
def cluster_apart() -> Iterator[Apart]:
    """Give a cluster in a process of its own, and end it."""
    root = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS],
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        apart = Apart(process)
        try:
            yield apart
        finally:
            apart.end()
