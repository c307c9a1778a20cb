"""Play to a running Andon over HTTP: readings as Arrow, events as JSON."""

import hashlib
import http.client
import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import SplitResult

import pandas as pd
import pyarrow as pa

from ingest.errors import TargetError
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch
from ingest.simulation.targets.target import place

PATIENCE_SECONDS = 120.0
"""So long a batch is sent again while nobody answers, or Andon asks to wait."""
ROWS_AT_ONCE = 20_000
EVENTS_AT_ONCE = 10_000
_TIMEOUT, _PAUSE = 30.0, 1.0
_ARROW, _JSON = "application/vnd.apache.arrow.stream", "application/json"
_CONNECTIONS: dict[str, tuple[type[http.client.HTTPConnection], int]] = {
    "http": (http.client.HTTPConnection, 80),
    "https": (http.client.HTTPSConnection, 443),
}


class HttpTarget:
    """A running Andon, as a ``Target``; what it did not answer is sent again under the same key.

    Parameters
    ----------
    sleep : waits for some seconds
    """

    def __init__(self, address: SplitResult, scenario: Scenario, sleep: Callable[[float], object] = time.sleep) -> None:
        kind, port = _CONNECTIONS[address.scheme]
        self._connection = kind(*place(address, port), timeout=_TIMEOUT)
        self._where = f"{self._connection.host}:{self._connection.port}"
        self._sleep = sleep

    @property
    def tables(self) -> str:
        """See ``Target``; readings that are pushed need no table."""
        return ""

    def send(self, batch: LiveBatch) -> int:
        """See ``Target``."""
        taken = 0
        for readings in batch.readings:
            table = readings.table.drop_columns(["arrived"])
            for first in range(0, table.num_rows, ROWS_AT_ONCE):
                body = _arrow(table.slice(first, ROWS_AT_ONCE))
                taken += self._post("/api/v1/readings", _ARROW, body)["accepted"]
        for first in range(0, len(batch.events), EVENTS_AT_ONCE):
            some = list(_plain(batch.events[first : first + EVENTS_AT_ONCE]))
            self._post("/api/v1/events", _JSON, json.dumps(some).encode())
        return taken

    def __enter__(self) -> Self:
        try:
            self._connection.connect()
        except OSError as error:
            raise TargetError(f"nobody answers at {self._where} ({error.strerror or error}); is it running?") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _post(self, path: str, media: str, body: bytes) -> Any:
        """Send until it is taken; the key makes sure that it counts once."""
        head = {"Content-Type": media, "Idempotency-Key": hashlib.sha256(body).hexdigest()}
        waited = 0.0
        while True:
            try:
                self._connection.request("POST", path, body, head)
                answer = self._connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                pause, why = _PAUSE, str(error) or type(error).__name__
            else:
                if answer.status < 300:
                    return json.loads(said)
                why = _reason(said) or f"{answer.status} {answer.reason}"
                if answer.status not in (429, 503):
                    raise TargetError(f"Andon at {self._where} refuses what is played: {why}")
                pause = _seconds(answer.getheader("Retry-After"))
            if waited >= PATIENCE_SECONDS:
                raise TargetError(f"Andon at {self._where} takes nothing any more: {why}")
            self._sleep(pause)
            waited += pause


def _arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _plain(events: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in events.to_dict("records"):
        value = row["value"]
        yield {
            **{str(name): each for name, each in row.items()},
            "time": row["time"].isoformat(),
            "end": None if pd.isna(row["end"]) else row["end"].isoformat(),
            "value": None if value is None or math.isnan(value) else value,
        }


def _reason(said: bytes) -> str:
    """Return what a problem document says, with its first fault; empty if it is none."""
    try:
        problem = json.loads(said)
        faults = [f"{each['where']}: {each['reason']}" for each in problem.get("errors", [])[:1]]
        return "; ".join([problem["detail"], *faults])
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def _seconds(retry_after: str | None) -> float:
    try:
        return max(float(retry_after or _PAUSE), 0.0)
    except ValueError:
        return _PAUSE
