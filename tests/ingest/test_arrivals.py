"""Arrival at an edge: kept where it can be true, replaced by ours where it cannot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ingest.decode.arrow import decode_arrow
from ingest.decode.cut import Body, dead_letters
from ingest.decode.rows import Decoded
from ingest.plant import Machine, MachineClass, Plant, Signal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)
PLANT = Plant(
    classes=[
        MachineClass(name="press", signals=[Signal(name="a", range=(0, 10))]),
        MachineClass(name="pump", signals=[Signal(name="flow")]),
    ],
    machines=[Machine(name="m1", machine_class="press"), Machine(name="p1", machine_class="pump")],
)


def stream(**columns: Any) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def rows(arrived: Any, **more: Any) -> bytes:
    count = len(arrived)
    return stream(
        **{"machine": ["m1"] * count, "time": [EARLIER] * count, "a": [1.0] * count, "arrived": arrived, **more}
    )


def arrivals(decoded: Decoded) -> dict[str, list[datetime]]:
    return {each.machine_class: each.table["arrived"].to_pylist() for each in decoded.readings}


def test_each_row_keeps_its_own_arrival_whatever_is_turned_away_between() -> None:
    some = [EARLIER + timedelta(hours=each) for each in range(5)]
    body = rows(
        some, machine=["m1", "p1", "m9", "m1", "m1"], a=[1.0, None, 1.0, 99.0, 2.0], flow=[None, 5.0, None, None, None]
    )

    decoded = decode_arrow(body, PLANT, now=NOW)

    assert arrivals(decoded) == {"press": [some[0], some[4]], "pump": [some[1]]}
    assert [each.line for each in decoded.rejections] == [3, 4]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("stamp", [None, -1, 2**62, -(2**62)])
def test_an_arrival_that_cannot_be_true_is_ours(unit: str, stamp: int | None) -> None:
    column = pa.array([stamp], pa.int64()).cast(pa.timestamp(unit, tz="UTC"))
    (found,) = arrivals(decode_arrow(rows(column), PLANT, now=NOW))["press"]
    assert datetime(1970, 1, 1, tzinfo=UTC) < found <= NOW


def test_an_arrival_later_than_ours_is_ours() -> None:
    body = rows([NOW + timedelta(seconds=1), EARLIER])
    assert arrivals(decode_arrow(body, PLANT, now=NOW)) == {"press": [NOW, EARLIER]}


@pytest.mark.parametrize("arrived", [["yesterday"], [5], [datetime(2026, 5, 1)]])  # noqa: DTZ001
def test_a_column_that_is_no_moment_is_no_arrival(arrived: list[Any]) -> None:
    decoded = decode_arrow(rows(arrived), PLANT, now=NOW)
    assert arrivals(decoded) == {"press": [NOW]}
    assert "has no signal 'arrived'" in decoded.rejections[0].reason


def test_a_cell_that_is_cut_out_keeps_the_arrival_of_its_row() -> None:
    body = Body("arrow", rows([EARLIER, EARLIER], a=[1.0, 99.0]), NOW, {})
    (letter,) = dead_letters(body, decode_arrow(body.body, PLANT, now=NOW))

    mended = PLANT.model_copy(
        update={"classes": [MachineClass(name="press", signals=[Signal(name="a")]), PLANT.classes[1]]}
    )

    assert arrivals(decode_arrow(letter.body, mended, now=NOW)) == {"press": [EARLIER]}
