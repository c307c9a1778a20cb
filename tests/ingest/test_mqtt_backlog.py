"""However much waits at the broker, little of it is in memory at a time."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from ingest.store import Store
from tests.broker import Broker, running_broker

ROOT = Path(__file__).parents[2]
SMALL, LARGE = (25_000, 4_000), (200, 500_000)
CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07flooder"

# It subscribes and takes some, so that all is loaded; then it goes away until much waits. When it is back nothing
# becomes durable for a while, so that it gathers what it ever will.
CHILD = """
import json, resource, sys
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from time import sleep

from ingest.intake import Intake
from ingest.store import Store
from tests.ingest.mqtt_plant import listening, plant_at, stream_of, wait_for

class Stopped:
    def __init__(self, inlet):
        self.inlet, self.goes_on, self.waiting = inlet, True, []

    def put(self, delivery, *, wait=0.0):
        if self.goes_on:
            return self.inlet.put(delivery, wait=wait)
        self.waiting.append((delivery, Future()))
        return self.waiting[-1][1]

    def notes(self, source):
        return self.inlet.notes(source)

    def go_on(self):
        self.goes_on = True
        for delivery, future in self.waiting:
            future.set_result(self.inlet.put(delivery).result())

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

store = Store(Path(sys.argv[1]))
first, count = int(sys.argv[4]), int(sys.argv[5])
with Intake(store) as intake:
    inlet = Stopped(intake)
    stream = stream_of(plant_at(int(sys.argv[2]), protocol=sys.argv[3]))
    with listening(stream, inlet):
        print("listening", flush=True)
        wait_for(lambda: stream.state.kept == first)
    print("away", flush=True)
    sys.stdin.readline()
    before = peak()
    inlet.goes_on, stop = False, Event()
    # It is not connected for its subscription is answered behind what waits, so nobody can wait for that here.
    thread = Thread(target=stream.run, args=(inlet, stop), daemon=True)
    thread.start()
    wait_for(lambda: inlet.waiting)
    sleep(1)
    held = peak()
    inlet.go_on()
    wait_for(lambda: stream.state.kept == first + count, 60)
    stop.set()
    thread.join(20)
print(json.dumps({"held": held - before, "taken": peak() - before}))
store.close()
"""


def flood(port: int, numbers: range, padding: int) -> None:
    """Publish numbers with quality of service 1, as fast as the broker takes them."""

    def packet(number: int) -> bytes:
        topic = b"plant/l/m1/a"
        payload = b"%d" % number + b" " * padding
        body = len(topic).to_bytes(2, "big") + topic + (number % 65_535 + 1).to_bytes(2, "big") + payload
        length = len(body)
        return b"\x32" + bytes((length % 128 | 128, length // 128 % 128 | 128, length // 16_384)) + body

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(CONNECT)
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        answers = bytearray()

        def listen() -> None:
            while len(answers) < 4 * len(numbers) and (came := connection.recv(1 << 16)):
                answers.extend(came)

        thread = Thread(target=listen)
        thread.start()
        for each in numbers:
            connection.sendall(packet(each))
        thread.join(60)
        assert len(answers) == 4 * len(numbers), "the broker did not acknowledge"


def taken_by_child(folder: Path, broker: Broker, protocol: str, count: int, padding: int) -> dict[str, float]:
    """Return by how many MB the child grew while nothing became durable, and until all was."""
    first = count // 10
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(broker.port), protocol, str(first), str(count)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"listening\n"
            flood(broker.port, range(first), padding)
            assert child.stdout.readline() == b"away\n"
            flood(broker.port, range(first, first + count), padding)
            child.stdin.write(b"go on\n")
            child.stdin.close()
            return dict(json.loads(child.stdout.readline()))
        finally:
            child.kill()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize(("count", "padding"), [SMALL, LARGE], ids=["small", "large"])
def test_a_backlog_of_100_mb_is_never_in_memory(tmp_path: Path, protocol: str, count: int, padding: int) -> None:
    with running_broker(tmp_path / "broker", inflight=20_000) as broker:
        grown = taken_by_child(tmp_path / "data", broker, protocol, count, padding)

    store = Store(tmp_path / "data")
    try:
        values = store.read("press", signals=["a"]).table["a"].to_pylist()
    finally:
        store.close()
    assert sorted(values) == list(range(count // 10 + count))
    assert grown["held"] < 40, grown
    assert grown["taken"] < 40, grown
