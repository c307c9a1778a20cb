"""Bodies made to cost much: none of a megabyte may take more than a second of work."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ingest.decode.again import DECODERS
from ingest.decode.cut import Body, dead_letters
from ingest.errors import SourceError
from ingest.plant import Machine, MachineClass, Plant, Signal
from tests.processor import cpu_seconds

NOW = datetime(2026, 5, 3, 4, tzinfo=UTC)
TIME = "2026-05-03T03:00:00Z"
SIZE = 1_000_000
MOST_SECONDS = 1.0

PRESS = MachineClass(name="press", signals=[Signal(name=f"signal-{each}") for each in range(20)])
PLANT = Plant(classes=[PRESS], machines=[Machine(name=f"press-{each}", machine_class="press") for each in range(200)])


def rows(count: int, cell: str) -> bytes:
    """Give JSON rows; ``#`` in the cell is the row's number."""
    every = (f'{{"machine":"press-1","time":"{TIME}",{cell.replace("#", str(each))}}}' for each in range(count))
    return f"[{','.join(every)}]".encode()


def arrow(**columns: pa.Array) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def bodies() -> Iterator[tuple[str, str, bytes]]:
    yield "json", "each row has a key of its own", rows(15_000, '"k#":1')
    yield "json", "each row names an unknown machine", rows(12_000, '"signal-1":1').replace(b"press-1", b"pres")
    unknown = [{"machine": f"pres-{each}", "time": TIME, "signal-1": 1} for each in range(14_000)]
    yield "json", "each row names another unknown machine", json.dumps(unknown).encode()
    long = [{"machine": "press-1", "time": TIME, "signal": f"signl-{each}", "value": 1} for each in range(10_000)]
    yield "json", "each row names another unknown signal", json.dumps(long).encode()
    yield "json", "one row has very many keys", rows(1, ",".join(f'"k{each}":1' for each in range(90_000)))
    yield "json", "very deep", b"[" * SIZE
    yield "json", "a cell is very deep", rows(1, '"signal-1":' + "[" * 400_000 + "]" * 400_000)
    yield "json", "one very long number", rows(1, '"signal-1":' + "9" * SIZE)
    yield "json", "many long numbers", rows(200, '"signal-1":' + "9" * 4_900)
    yield "json", "many rows that are none", b"[" + b"1," * (SIZE // 2) + b"1]"
    yield (
        "csv",
        "very many columns",
        ("machine,time," + ",".join(f"k{each}" for each in range(100_000)) + "\na,b\n").encode(),
    )
    yield (
        "csv",
        "very many columns and cells",
        (
            "machine,time," + ",".join(f"k{each}" for each in range(80_000)) + f"\npress-1,{TIME}" + ",1" * 80_000
        ).encode(),
    )
    yield "csv", "very many broken lines", b"machine,time,signal-1\n" + b',"\n' * (SIZE // 3)
    yield (
        "csv",
        "each row names another unknown machine",
        ("machine,time,signal-1\n" + "".join(f"pres-{each},{TIME},1\n" for each in range(25_000))).encode(),
    )
    tags = ",".join(f"t{each}=1" for each in range(100_000))
    yield "line_protocol", "very many tags", f"m,{tags},machine=press-1 signal-1=1\n".encode()
    fields = ",".join(f"k{each}=1" for each in range(90_000))
    yield "line_protocol", "very many fields", f"m,machine=press-1 {fields}\n".encode()
    yield (
        "line_protocol",
        "each line has a field of its own",
        "".join(f"m,machine=press-1 k{each}=1\n" for each in range(3_000)).encode(),
    )
    yield "line_protocol", "very many open strings", b'm,machine=press-1 a="\n' * (SIZE // 22)
    machines = [f"pres-{each}" for each in range(60_000)]
    times = pa.array([NOW], pa.timestamp("us", "UTC")).take(pa.array([0] * 60_000))
    yield (
        "arrow",
        "each row names another unknown machine",
        arrow(machine=pa.array(machines), time=times, **{"signal-1": pa.array([1.0] * 60_000)}),
    )
    few = pa.array([0] * 3, pa.int32())
    yield (
        "arrow",
        "a huge dictionary",
        arrow(
            machine=pa.DictionaryArray.from_arrays(few, pa.array(machines)),
            time=times.slice(0, 3),
            **{"signal-1": pa.array([1.0] * 3)},
        ),
    )


def repeated(head: str, row: str, size: int = SIZE) -> bytes:
    """Give as many rows as have room; ``#`` in the row is its number."""
    count = size // (len(row) + 4)
    return (head + "".join(row.replace("#", str(each)) for each in range(count))).encode()


def large_bodies() -> Iterator[tuple[str, str, bytes]]:
    """Give what a megabyte unpacks to at most."""
    large = 16 * SIZE
    csv, line = "machine,time,signal-1\n", "m,machine=press-1 signal-1="
    yield "csv", "each row is wrong", repeated(csv, "a,b,c\n", large)
    yield "csv", "each time is another text", repeated(csv, "press-1,x#,1\n", large)
    yield "csv", "each value is another text", repeated(csv, f"press-1,{TIME},x#\n", large)
    yield "json", "each row is empty", b"[" + b"{}," * (large // 3) + b"{}]"
    yield "line_protocol", "each line is wrong", repeated("", "a\n", large)
    yield "line_protocol", "each line is wrong and has an escape", repeated("", "\\\n", large)
    yield "line_protocol", "each value is another text", repeated("", f'{line}"#"\n', large)
    yield "line_protocol", "each machine is unknown", repeated("", "m,machine=p# signal-1=1\n", large)


def lesser_bodies() -> Iterator[tuple[str, str, bytes]]:
    line = "m,machine=press-1 "
    fields = ",".join(f'signal-{each}="x"' for each in range(20))
    yield "line_protocol", "each line has twenty strings", repeated("", f"{line}{fields}\n")
    yield "line_protocol", "each line has an escape", repeated("", "m,machine=press\\ 1 signal-1=#\n")
    yield "csv", "each row is wrong", repeated("machine,time,signal-1\n", "a,b,c\n")
    yield "csv", "each day is none", repeated("machine,time,signal-1\n", "press-1,2026-02-30T00:00:00Z,1\n")


@pytest.mark.parametrize(
    ("kind", "body"),
    [pytest.param(kind, body, id=f"{kind}: {what}") for kind, what, body in large_bodies()],
)
def test_no_body_that_unpacks_to_the_largest_takes_two_seconds_to_be_refused(kind: str, body: bytes) -> None:
    def refuse() -> None:
        with pytest.raises(SourceError):
            DECODERS[kind](body, {}, PLANT, NOW)

    assert cpu_seconds(refuse, enough=2 * MOST_SECONDS) < 2 * MOST_SECONDS


@pytest.mark.parametrize(
    ("kind", "body"),
    [pytest.param(kind, body, id=f"{kind}: {what}") for kind, what, body in [*bodies(), *lesser_bodies()]],
)
def test_no_body_of_a_megabyte_takes_a_second(kind: str, body: bytes) -> None:
    def decode() -> None:
        with contextlib.suppress(SourceError):
            dead_letters(Body(kind, body, NOW, {}), DECODERS[kind](body, {}, PLANT, NOW))

    assert cpu_seconds(decode, enough=MOST_SECONDS) < MOST_SECONDS
