"""A snapshot of vibration comes in one body, one row a sample, and every sample is kept with its microsecond."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.run import runs

PATH = "/api/v1/readings"
RATE = 25_600
BEGIN = np.datetime64("2026-05-03T03:00:00", "us").astype(np.int64)
TIMES = BEGIN + np.rint(np.arange(RATE) * 1e6 / RATE).astype(np.int64)
VALUES = np.random.default_rng(4).normal(5, 1, size=RATE)


def _arrow() -> bytes:
    time = pa.array(TIMES).cast(pa.timestamp("us", "UTC"))
    table = pa.table({"machine": ["press-1"] * RATE, "time": time, "vibration": VALUES})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _csv() -> bytes:
    stamps = np.datetime_as_string(TIMES.astype("datetime64[us]"), timezone="UTC")
    lines = [f"press-1,{stamp},{value!r}" for stamp, value in zip(stamps, VALUES.tolist(), strict=True)]
    return "\n".join(["machine,time,vibration", *lines]).encode()


@pytest.mark.parametrize(("kind", "body"), [("application/vnd.apache.arrow.stream", _arrow), ("text/csv", _csv)])
def test_a_snapshot_in_one_body_is_one_unbroken_run(works: Any, kind: str, body: Any) -> None:
    response = works.client.post(PATH, content=body(), headers={"Content-Type": kind})

    assert response.status_code == 200, response.text
    assert response.json()["accepted"] == RATE
    table = works.room.store.read("press", machines=["press-1"], signals=["vibration"]).table
    times = table["time"].cast(pa.int64()).to_numpy()
    np.testing.assert_array_equal(times, TIMES)
    np.testing.assert_array_equal(table["vibration"].to_numpy(), VALUES)
    assert list(runs(times, RATE)) == [(0, RATE)]
