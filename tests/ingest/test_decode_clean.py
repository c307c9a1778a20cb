"""The clean decoder says what the careful one says, or nothing at all."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.again import DECODERS
from ingest.decode.clean.decoder import PARSERS, BodyDecoder
from ingest.decode.cut import Body
from ingest.decode.rows import Decoded
from ingest.plant import Machine, MachineClass, Plant, Signal

NOW = datetime(2026, 5, 3, 4, tzinfo=UTC)
PLANT = Plant(
    time_zone="Europe/Berlin",
    classes=[
        MachineClass(
            name="press",
            signals=[Signal(name="force", range=(0, 100)), Signal(name="heat"), Signal(name="oil level")],
        ),
        MachineClass(name="pump", signals=[Signal(name="flow", range=(-5, 5)), Signal(name="heat", range=(0, 90))]),
    ],
    machines=[
        Machine(name="p1", machine_class="press"),
        Machine(name="Säge 2", machine_class="press"),
        Machine(name="q1", machine_class="pump"),
        # Read as "nothing" by the careful decoder, and not as it is written.
        Machine(name="none", machine_class="pump"),
        Machine(name=" q2", machine_class="pump"),
    ],
)
DECODER = BodyDecoder(PLANT)
Row = Mapping[str, Any]

GOOD = [{"machine": "p1", "time": f"2026-05-03T03:{minute:02}:00Z", "force": 1.5 * minute} for minute in range(9)]
LONG = [
    {"machine": machine, "time": f"2026-05-03T03:0{minute}:00+02:00", "signal": "heat", "value": minute}
    for minute in range(5)
    for machine in ("q1", "p1")
]


def json_body(rows: Sequence[Row]) -> bytes:
    return json.dumps(rows).encode()


def line_body(rows: Sequence[Row]) -> bytes:
    return "\n".join(map(line, rows)).encode()


def line(row: Row) -> str:
    fields = ",".join(f"{name}={value}" for name, value in row.items() if name not in ("machine", "time"))
    moment = datetime.fromisoformat(row["time"])
    return f"m,site=a,machine={row['machine']} {fields} {int(moment.timestamp()) * 1_000_000_000}"


def arrow_body(rows: Sequence[Row], **columns: pa.Array) -> bytes:
    names = dict.fromkeys(name for row in rows for name in row)
    made = {name: [row.get(name) for row in rows] for name in names}
    if "time" in made:
        made["time"] = pa.array([datetime.fromisoformat(each) for each in made["time"]], pa.timestamp("us", "UTC"))
    for name in names.keys() - {"machine", "time", "signal"}:
        numbers = [None if each is None else float(each) for each in made[name]]
        made[name] = pa.array(numbers, from_pandas=True)
    table = pa.table({**made, **columns})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


WRITERS = {"json": json_body, "line_protocol": line_body, "arrow": arrow_body}


def same(one: Decoded, other: Decoded) -> bool:
    counts = ("rejections", "rejected", "rows", "used", "missing", "ignored")
    return (
        all(getattr(one, name) == getattr(other, name) for name in counts)
        and one.events.equals(other.events)
        and [each.machine_class for each in one.readings] == [each.machine_class for each in other.readings]
        and all(a.table.equals(b.table) for a, b in zip(one.readings, other.readings, strict=True))
        and all(a.table.schema.equals(b.table.schema) for a, b in zip(one.readings, other.readings, strict=True))
    )


def agree(kind: str, content: bytes, **head: str) -> bool:
    """Say whether the clean decoder answered; whatever it says, the careful one says the same."""
    clean = DECODER.clean(Body(kind, content, NOW, head))
    if clean is not None:
        assert same(clean, DECODERS[kind](content, head, PLANT, NOW))
    return clean is not None


@pytest.mark.parametrize("kind", PARSERS)
def test_rows_in_which_nothing_is_wrong_are_clean(kind: str) -> None:
    assert agree(kind, WRITERS[kind](GOOD))


@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_readings_one_a_row_are_clean_whatever_their_order(kind: str) -> None:
    twice = [*LONG, {**LONG[0], "value": 80.5}]
    assert agree(kind, WRITERS[kind](twice))
    assert agree(kind, WRITERS[kind](twice[::-1]))


@pytest.mark.parametrize("kind", ["json", "arrow"])
def test_empty_cells_and_machines_of_several_classes_are_clean(kind: str) -> None:
    rows = [
        {"machine": "q1", "time": "2026-05-03T03:00:00Z", "heat": 50.0, "flow": 1.0, "force": None},
        {"machine": "Säge 2", "time": "2026-05-03T03:00:00Z", "heat": None, "flow": None, "force": 3},
    ]
    assert agree(kind, WRITERS[kind](rows))


@pytest.mark.parametrize("precision", ["s", "ms", "us", "ns"])
def test_every_precision_of_line_protocol_is_clean(precision: str) -> None:
    per = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[precision]
    stamp = int((NOW - timedelta(hours=1)).timestamp()) * per + per // 3
    assert agree("line_protocol", f"m,machine=p1 force=1 {stamp}\n".encode(), precision=precision)
    assert not agree("line_protocol", f"m,machine=p1 force=1 {stamp * 10_000}\n".encode(), precision=precision)


@pytest.mark.parametrize(
    "wrong",
    [
        {"machine": "p7"},
        {"machine": "none"},
        {"machine": " q2", "force": None, "heat": 5},
        {"machine": "q1"},
        {"time": "1850-01-01T00:00:00Z"},
        {"time": "2026-05-03T05:00:00Z"},
        {"force": 101},
        {"force": None},
        {"force": float("inf")},
        {"strange": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", PARSERS)
def test_one_wrong_row_is_for_the_careful_decoder(kind: str, wrong: Row) -> None:
    assert not agree(kind, WRITERS[kind]([*GOOD, {**GOOD[0], **wrong}]))


@pytest.mark.parametrize("time", ["2026-05-03T03:00:00", "2026-05-03", "3.5.2026 03:00", None, 1777777200])
def test_a_time_that_names_no_zone_is_for_the_careful_decoder(time: object) -> None:
    assert not agree("json", json_body([{**GOOD[0], "time": time}]))
    assert not agree("json", json_body([*GOOD, {**GOOD[0], "time": time}]))


def test_a_blank_of_another_kind_in_a_line_is_for_the_careful_decoder() -> None:
    assert agree("line_protocol", line_body(GOOD))
    assert not agree("line_protocol", line_body(GOOD).replace(b"m,", "m\u00a0,".encode()))


cells = st.one_of(st.floats(0, 90), st.integers(0, 5), st.sampled_from([None, -1.0, 1e300, float("nan"), 2**60]))
usual_rows = st.fixed_dictionaries(
    {
        "machine": st.sampled_from(["p1", "p1", "Säge 2", "q1", "none", "p9"]),
        "time": st.sampled_from([each["time"] for each in [*GOOD, *LONG]]),
        "force": cells,
        "heat": cells,
    }
)
long_rows = st.fixed_dictionaries(
    {
        "machine": st.sampled_from(["p1", "q1"]),
        "time": st.sampled_from([each["time"] for each in LONG]),
        "signal": st.sampled_from(["heat", "heat", "flow", "strange"]),
        "value": st.floats(-6, 91),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["json", "arrow"]), st.one_of(st.lists(usual_rows, max_size=5), st.lists(long_rows, max_size=8)))
def test_whatever_rows_hold_both_say_the_same(kind: str, rows: Sequence[Row]) -> None:
    agree(kind, WRITERS[kind](rows))


PIECES = rb"""1 p1 q1 , = \ " # - + . e5 1i t nan null true 1e999 _ { } [ ] : heat machine""".split()
tokens = st.sampled_from([*PIECES, b" ", b"\n", b"\t", b"\r\n", b"\xff", "\u00a0".encode()])


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("json", GOOD[:3]), ("json", LONG[:3]), ("line_protocol", GOOD[:3])],
    ids=["wide", "long", "lines"],
)
def test_whatever_is_put_into_a_good_body_both_say_the_same(kind: str, rows: Sequence[Row]) -> None:
    body = WRITERS[kind](rows)

    @settings(max_examples=400, deadline=None)
    @given(st.integers(0, len(body)), st.integers(0, 3), tokens)
    def check(place: int, gone: int, put: bytes) -> None:
        agree(kind, body[:place] + put + body[place + gone :])

    check()
    assert agree(kind, body)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_byte_of_an_arrow_body_is_changed_both_say_the_same(data: st.DataObject) -> None:
    body = bytearray(arrow_body(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    agree("arrow", bytes(body))


@pytest.mark.parametrize(
    "columns",
    [
        {"machine": pa.array(["p1", None])},
        {"force": pa.array([1, 2])},
        {"force": pa.array([float("nan"), 2.0])},
        {"time": pa.array([NOW, NOW], pa.timestamp("ns", "UTC"))},
        {"time": pa.array([NOW, None], pa.timestamp("us", "UTC"))},
    ],
    ids=["no machine", "whole numbers", "NaN", "nanoseconds", "no time"],
)
def test_arrow_columns_of_other_types_are_for_the_careful_decoder(columns: Mapping[str, pa.Array]) -> None:
    assert not agree("arrow", arrow_body(GOOD[:2], **columns))


@pytest.mark.parametrize(
    "columns",
    [
        {"machine": pa.array(["p1", "p1"]).dictionary_encode()},
        {"machine": pa.array(["p1", "p1"], pa.string_view())},
        {"time": pa.array([NOW, NOW], pa.timestamp("us", "Europe/Berlin"))},
    ],
    ids=["dictionary", "view", "another zone"],
)
def test_arrow_columns_that_only_are_written_otherwise_are_clean(columns: Mapping[str, pa.Array]) -> None:
    assert agree("arrow", arrow_body(GOOD[:2], **columns))


def test_a_body_that_is_not_clean_is_decoded_with_care() -> None:
    rows = [*GOOD, {**GOOD[0], "force": "broken"}]

    decoded = DECODER.decode(Body("json", json_body(rows), NOW, {}))

    assert [each.line for each in decoded.rejections] == [10]
    assert decoded.readings[0].table.num_rows == 9


@pytest.mark.parametrize("stamp", [1777788000000000000, 2**63 - 1, -(2**63), 1 - 2**63])
@pytest.mark.parametrize("precision", ["us", "ms", "s"])
def test_line_protocol_of_another_precision_is_turned_away_with_a_reason(stamp: int, precision: str) -> None:
    body = Body("line_protocol", f"r,machine=p1 heat=1 {stamp}\n".encode(), NOW, {"precision": precision})
    decoded = DECODER.decode(body)
    assert (decoded.readings, decoded.rejected) == ([], 1)
    assert "before 1900 or after 2199" in decoded.rejections[0].reason


@pytest.mark.parametrize("stamp", [2**58 + 1767225600, 1777788000000000000, -(2**63) + 1])
@pytest.mark.parametrize("unit", ["s", "ms"])
def test_moments_of_arrow_that_are_too_large_do_not_begin_anew(stamp: int, unit: Literal["s", "ms"]) -> None:
    moments = pa.array([stamp], pa.int64()).cast(pa.timestamp(unit, tz="UTC"))
    sink = pa.BufferOutputStream()
    table = pa.table({"machine": ["p1"], "time": moments, "heat": [1.0]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    decoded = DECODER.decode(Body("arrow", sink.getvalue().to_pybytes(), NOW, {}))
    assert (decoded.readings, decoded.rejected) == ([], 1)


bodies = st.sampled_from(
    [
        Body(kind, WRITERS[kind](rows), NOW + timedelta(seconds=seconds), {})
        for kind in PARSERS
        for rows in (
            GOOD[:3],
            [{**GOOD[0], "heat": 2.5}, {"machine": "q1", "time": GOOD[1]["time"], "force": None, "heat": 1.5}],
            [{"machine": "q1", "time": GOOD[2]["time"], "force": None, "heat": 3.5}],
            [{**GOOD[4], "force": 1000.0}],
        )
        for seconds in (0, 1)
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(bodies, max_size=6))
def test_bodies_that_are_decoded_together_give_what_each_gives_alone(several: Sequence[Body]) -> None:
    together = DECODER.clean_each(several)

    for body, decoded in zip(several, together, strict=True):
        if decoded is None:
            assert DECODER.clean(body) is None
        else:
            assert same(decoded, DECODERS[body.kind](body.body, body.head, PLANT, body.arrived))
