"""Send the same rows three times, in another order each time, from eight clients that lose their connections.

Run ``python -m tests.trials.shuffled --readings 10000000``. What the server holds afterwards must have the content
hash of the rows themselves.
"""

import argparse
import http.client
import random
import socket
import struct
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.store import Store
from tests.trials.killed_server import Server

MACHINES, SIGNALS, CLIENTS, TIMES = 100, 10, 8, 3
ROWS_IN_A_BATCH = 2_000
BEGIN = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp())
RESETS = 0.05
"""Share of requests after which the connection is reset before the answer is read, or in the middle of the body."""


@dataclass
class Rows:
    """All rows: 100 machines, one row a minute of each, ten signals of which one in five values is missing."""

    readings: int

    def __post_init__(self) -> None:
        random_values = np.random.default_rng(5)
        count = self.readings // SIGNALS
        number = np.arange(count)
        values = np.round(random_values.normal(50, 5, (SIGNALS, count)), 2)
        missing = random_values.random((SIGNALS, count)) < 0.2
        # A row without any reading is none.
        missing[0, missing.all(axis=0)] = False
        values[missing] = np.nan
        columns = {
            "machine": pa.array([f"machine-{each:02d}" for each in range(MACHINES)]).take(pa.array(number % MACHINES)),
            "time": pa.array((BEGIN + number // MACHINES * 60) * 1_000_000, pa.timestamp("us", "UTC")),
        }
        columns |= {f"signal_{each}": pa.array(values[each], from_pandas=True) for each in range(SIGNALS)}
        self.table = pa.table(columns)

    def shuffled(self, seed: int) -> list[bytes]:
        """Return bodies that together hold every row once, in the order of this seed."""
        order = np.random.default_rng(seed).permutation(self.table.num_rows)
        bodies = []
        for begin in range(0, len(order), ROWS_IN_A_BATCH):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, self.table.schema) as writer:
                writer.write_table(self.table.take(pa.array(order[begin : begin + ROWS_IN_A_BATCH])).combine_chunks())
            bodies.append(sink.getvalue().to_pybytes())
        return bodies


def content_hash(table: pa.Table) -> str:
    """Return a hash of rows that depends on nothing but their content."""
    names = ["machine", "time", *sorted(set(table.column_names) - {"machine", "time", "arrived"})]
    ordered = table.select(names).cast(pa.schema([(name, _plain(name)) for name in names]))
    ordered = ordered.sort_by([("machine", "ascending"), ("time", "ascending")])
    digest = blake2b()
    for name in names:
        column = ordered[name].combine_chunks()
        # A missing value is NaN here; no reading is.
        digest.update(repr(column.to_pylist()).encode() if name == "machine" else column.to_numpy(False).tobytes())
    return digest.hexdigest()


def _plain(name: str) -> pa.DataType:
    return {"machine": pa.string(), "time": pa.timestamp("us", "UTC")}.get(name, pa.float64())


@dataclass
class Client:
    """Sends bodies until each is acknowledged, and resets its connection now and then."""

    port: int
    seed: int
    resets: int = 0

    def run(self, bodies: list[bytes]) -> int:
        """Send all, and return how often a connection was reset."""
        draw = random.Random(self.seed)  # noqa: S311 - nothing secret
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            for body in bodies:
                while not self._push(connection, body, reset=draw.random() < RESETS, part=draw.random()):
                    pass
        return self.resets

    def _push(self, connection: http.client.HTTPConnection, body: bytes, *, reset: bool, part: float) -> bool:
        connection.putrequest("POST", "/api/v1/readings")
        connection.putheader("Content-Type", "application/vnd.apache.arrow.stream")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body[: int(len(body) * min(1.0, 2 * part))] if reset else body)
        if reset:
            # Half of them after all of the body: it may well be kept, and comes again.
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            self.resets += 1
            return False
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status in (200, 503), said
        if answer.status == 503:
            time.sleep(0.1)
        return answer.status == 200


def send_shuffled(folder: Path, readings: int) -> str:
    """Send, compare, and return what came of it.

    Raises
    ------
    AssertionError
        When the server does not hold just these rows.
    """
    rows = Rows(readings)
    names = ", ".join(f'{{ name = "signal_{number}" }}' for number in range(SIGNALS))
    machines = ", ".join(f'"machine-{each:02d}"' for each in range(MACHINES))
    (folder / "plant.toml").write_text(
        f'name = "Shuffled"\n[[classes]]\nname = "press"\nsignals = [{names}]\n'
        f'[[machines]]\nnames = [{machines}]\nclass = "press"\n'
    )
    server = Server(folder)
    server.start()
    begun = time.perf_counter()
    resets = 0
    try:
        for each in range(TIMES):
            bodies = rows.shuffled(each)
            with ThreadPoolExecutor(CLIENTS) as threads:
                running = [
                    threads.submit(Client(server.port, 100 * each + number).run, bodies[number::CLIENTS])
                    for number in range(CLIENTS)
                ]
                resets += sum(client.result() for client in running)
    finally:
        server.kill()
    seconds = time.perf_counter() - begun
    store = Store(folder / "andon-data")
    try:
        hashes = content_hash(store.read("press").table), content_hash(rows.table)
        assert hashes[0] == hashes[1], hashes
        store.seal()
        assert content_hash(store.read("press").table) == hashes[1], "another content once it was sealed"
        held = store.counts().readings
    finally:
        store.close()
    expected = sum(rows.table.num_rows - rows.table[f"signal_{each}"].null_count for each in range(SIGNALS))
    assert held == expected, (held, expected)
    return (
        f"{rows.table.num_rows:,} rows, {expected:,} readings, sent {TIMES} times from {CLIENTS} clients in"
        f" {seconds:.0f} s with {resets:,} resets: content hash {hashes[0][:16]}, as of the rows themselves"
    )


def main() -> None:
    """Send and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(send_shuffled(Path(folder), arguments.readings) + "\n")


if __name__ == "__main__":
    main()
