"""How fast messages become durable: ``python -m tests.benchmarks.mqtt [--json] [--quick]``.

Each subscriber finds the same messages waiting at a real broker, runs on one core, and acknowledges them all;
the peers acknowledge without storing anything. It needs ``mosquitto``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter, process_time, sleep
from typing import Any

from ingest.intake import Intake
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.sources.mqtt import UNACKNOWLEDGED, MqttStream
from ingest.store import Store
from tests.benchmarks.window_peers import peak_megabytes
from tests.broker import Broker, Publisher, mosquitto

MACHINES, SIGNALS = 100, 10
TOPICS = [
    MqttTopic(template="plant/{line}/{machine}/{signal}"),
    MqttTopic(template="json/{machine}/{signal}", payload="json", time_format="ms"),
]


def plant_at(port: int, protocol: str, client_id: str) -> Plant:
    """A plant of a hundred machines with ten signals each."""
    stream = Mqtt(name="hall", host="127.0.0.1", port=port, protocol=protocol, client_id=client_id, topics=TOPICS)
    return Plant(
        classes=[MachineClass(name="press", signals=[Signal(name=f"s{each}") for each in range(SIGNALS)])],
        machines=[Machine(name=f"m{each}", machine_class="press") for each in range(MACHINES)],
        mqtt=[stream],
    )


def messages(count: int, shape: str) -> list[tuple[str, bytes]]:
    """Messages of all machines and signals in turn."""
    if shape == "number":
        return [
            (f"plant/l1/m{each % MACHINES}/s{each // MACHINES % SIGNALS}", b"%d.5" % (each % 97))
            for each in range(count)
        ]
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    return [
        (
            f"json/m{each % MACHINES}/s{each // MACHINES % SIGNALS}",
            json.dumps({"value": each % 97 + 0.5, "time": begin + each}).encode(),
        )
        for each in range(count)
    ]


def andon(port: int, protocol: str, count: int, folder: Path) -> float:
    """Listen as the service does; return the seconds from the start to the last acknowledgement."""
    plant = plant_at(port, protocol, "andon")
    store = Store(folder / "data")
    stop = Event()
    with Intake(store) as intake:
        stream = MqttStream(plant.mqtt[0], plant, clock=lambda: datetime.now(UTC), environment={})
        thread = Thread(target=stream.run, args=(intake, stop))
        begun = perf_counter()
        thread.start()
        while stream.state.kept < count and (count or not stream.state.connected):
            sleep(0.002)
        seconds = perf_counter() - begun
        stop.set()
        thread.join()
    readings = store.counts().readings
    store.close()
    if readings != count:
        raise SystemExit(f"{readings} readings are in the store, {count} messages were sent")
    return seconds


def paho(port: int, protocol: str, count: int, folder: Path) -> float:
    """The usual client library, which acknowledges each message by itself."""
    import paho.mqtt.client as client_library
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    came, subscribed = 0, False

    def on_message(*_: Any) -> None:
        nonlocal came
        came += 1

    def on_subscribe(*_: Any) -> None:
        nonlocal subscribed
        subscribed = True

    more: dict[str, Any] = {} if protocol == "5" else {"clean_session": False}
    version = client_library.MQTTv5 if protocol == "5" else client_library.MQTTv311
    api = client_library.CallbackAPIVersion.VERSION2
    client = client_library.Client(api, client_id="paho", protocol=version, **more)
    client.on_message, client.on_subscribe = on_message, on_subscribe
    if protocol == "5":
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval, properties.ReceiveMaximum = 3600, UNACKNOWLEDGED
        client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    else:
        client.connect("127.0.0.1", port)
    client.on_connect = lambda *_: client.subscribe([("plant/#", 1), ("json/#", 1)])
    begun = perf_counter()
    while came < count or not subscribed:
        client.loop(0.1)
    seconds = perf_counter() - begun
    client.disconnect()
    return seconds


SUBSCRIBERS = {"andon": andon, "paho": paho}


def in_child(subscriber: str, port: int, protocol: str, count: int) -> dict[str, float]:
    """Run a subscriber on one core, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.mqtt", "--child", subscriber, str(port), protocol, str(count)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(json.loads(run.stdout))


def child(subscriber: str, port: str, protocol: str, count: str) -> None:
    """Take all messages and print what it cost."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    busy = process_time()
    with tempfile.TemporaryDirectory() as folder:
        seconds = SUBSCRIBERS[subscriber](int(port), protocol, int(count), Path(folder))
    print(json.dumps({"seconds": seconds, "busy": process_time() - busy, "peak": peak_megabytes()}))


def measure(folder: Path, count: int, times: int) -> list[dict[str, Any]]:
    """Return the rows of the benchmark."""
    broker = Broker(mosquitto(), folder, inflight=2000)
    rows: list[dict[str, Any]] = []
    try:
        for protocol, shape in (("5", "number"), ("5", "json"), ("3.1.1", "number")):
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in SUBSCRIBERS}
            for _ in range(times):
                for name in SUBSCRIBERS:
                    in_child(name, broker.port, protocol, 0)  # subscribes, so that all of them find messages
                publisher = Publisher(broker.port)
                publisher.send(messages(count, shape))
                publisher.close()
                for name, found in runs.items():
                    found.append(in_child(name, broker.port, protocol, count))
            speed = {name: median(count / each["seconds"] for each in found) for name, found in runs.items()}
            what = f"MQTT {protocol}, {shape}"
            rows.append(row(f"{what}: to durable, one core", speed["andon"], "messages/s", 20_000, speed["paho"]))
            busy = median(count / each["busy"] for each in runs["andon"])
            rows.append(row(f"{what}: a second of processor", busy, "messages", 20_000, None))
            memory = {name: median(each["peak"] for each in found) for name, found in runs.items()}
            rows.append(row(f"{what}: peak memory", memory["andon"], "MB", 300, memory["paho"]))
    finally:
        broker.stop()
    return rows


def row(name: str, value: float, unit: str, goal: float, peer_value: float | None) -> dict[str, Any]:
    """One row of the benchmark; the peer acknowledges and keeps nothing."""
    return {
        "name": name,
        "value": round(value),
        "unit": unit,
        "goal": goal,
        "peer": "" if peer_value is None else "paho, keeps nothing",
        "peer_value": None if peer_value is None else round(peer_value),
        "ratio": None if not peer_value else round(value / peer_value, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="twenty thousand messages, once")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(*arguments.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), *((20_000, 1) if arguments.quick else (100_000, 3)))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for each in rows:
        peer = f"{each['peer_value']} {each['peer']} (x {each['ratio']})" if each["peer"] else ""
        print(f"{each['name']:48} {each['value']:>8} {each['unit']:11} goal {each['goal']:<7} {peer}")


if __name__ == "__main__":
    main()
