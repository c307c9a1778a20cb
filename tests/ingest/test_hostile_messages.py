"""Messages, columns, units and files made to cost much or to be misread: what each of them did once."""

import json
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingest.decode.again import DECODERS
from ingest.decode.arrow import decode_arrow
from ingest.decode.cut import Body, dead_letters
from ingest.decode.mqtt import Message, MessageDecoder
from ingest.decode.rows import Decoded
from ingest.errors import ExpressionError, PlantFileError, SourceError, UnitError
from ingest.expression import read_expression
from ingest.sources.csv_file import CsvFile
from ingest.sources.sparkplug_host import MOST_NODES, SparkplugHost
from ingest.spool_mark import read_mark
from ingest.spool_record import framed, whole_records
from ingest.unit import conversion
from tests.processor import cpu_seconds
from tests.trials.parsers import ARRIVED, NOW, PARSERS, PLANT_TEXT, TIME, arrow_of, plant, sparkplug_of

SIZE = 1_000_000
MOST_SECONDS = 1.0
KAFKA = {"stream": "bus", "partition": "0", "offset": "1", "key": "p1", "time": "1"}


def entries(entry: str) -> bytes:
    """Give a JSON list of a megabyte; ``#`` in an entry is its number."""
    count = SIZE // (len(entry) + 5)
    return f"[{','.join(entry.replace('#', str(each)) for each in range(count))}]".encode()


def lines(line: str, head: str = "") -> bytes:
    """Give lines of a megabyte behind a head; ``#`` in a line is its number."""
    count = SIZE // (len(line) + 4)
    return (head + "".join(line.replace("#", str(each)) for each in range(count))).encode()


def bodies() -> Iterator[tuple[str, str, bytes]]:
    yield "mqtt", "each entry has a key of its own", b"w/p1 " + entries('{"time":1,"k#":1}')
    yield "mqtt", "one entry has very many keys", b"w/p1 {" + entries('"k#":1')[1:-1] + b"}"
    yield "mqtt", "each value is another text", b"j/p1/force " + entries('{"time":1,"value":"x#"}')
    yield "mqtt", "each time is another text", b"j/p1/force " + entries('{"time":"x#","value":1}')
    yield "mqtt", "very deep", b"j/p1/force " + b"[" * SIZE
    yield "mqtt", "one very long number", b"j/p1/force " + b"9" * SIZE
    yield "mqtt", "a payload of one very long number", b"n/l/p1/force " + b"9" * SIZE
    yield "mqtt", "a very long topic", b"/" * SIZE + b" 1"
    yield "mqtt", "each message has a topic of its own", lines("n/l/x#/force 1\n\n")
    yield "kafka", "each row has a key of its own", b"json " + entries('{"k#":1}')
    yield (
        "kafka",
        "each row names another unknown signal",
        b"long " + entries(f'{{"machine":"p1","time":"{TIME}","signal":"s#","value":1}}'),
    )
    yield "kafka", "very many columns", b"csv machine,time," + b",k" * (SIZE // 2)
    yield "kafka", "each row is wrong", lines("a,b,c\n", "csv machine,time,force\n")
    yield "kafka", "each row names another unknown machine", lines("a#,1,1\n", "csv machine,time,force\n")
    yield "kafka", "each line is wrong", lines("a\n", "lines ")
    yield "kafka", "each line is wrong and its string never ends", lines('m,machine=p1 force="a\n', "lines ")
    yield "kafka", "each line has an escape", lines("m,machine=p\\ 1 force=1\n", "lines ")
    yield "times", "all centuries", b"iso\n" + b"\n".join(b"%d-01-01T00:00" % (1900 + at % 300) for at in range(58_000))
    yield "times", "each is another text", lines("x#\n", "iso\n")
    yield "times", "each is another text, for a pattern", lines("x#\n", "pattern\n")
    yield "times", "a very long fraction", b"iso\n2026-01-01T00:00:00." + b"9" * SIZE
    yield "times", "a very long number", b"ns\n" + b"9" * SIZE
    yield "numbers", "each is another text", lines("x#\n")
    yield "numbers", "a very long exponent", b"1e" + b"9" * SIZE
    yield "numbers", "very long", b"9" * SIZE
    yield "numbers", "all infinite", b"1e999\n" * (SIZE // 6)
    yield "topics", "very many levels", b"a/" * (SIZE // 4) + b"\n" + b"a/" * (SIZE // 4)
    yield "topics", "very many brackets", b"{a" * (SIZE // 2)
    yield "events", "each names another unknown machine", entries(f'{{"machine":"x#","kind":"stop","time":"{TIME}"}}')
    yield "events", "one has very many keys", b"[{" + entries('"k#":1')[1:-1] + b"}]"
    yield "events", "ten thousand that are empty", b"[" + b"{}," * 9_999 + b"{}]"
    yield "events", "very deep", b"[" * SIZE
    yield "events", "very many lists", b"[" + b"[]," * (SIZE // 3) + b"[]]"
    yield "events", "one very long number", b'[{"value":' + b"9" * SIZE + b"}]"
    yield "expression", "very long", b"a" * SIZE
    yield "duration", "very long", b"9" * SIZE + b" s"
    yield "duration", "very many blanks", b" " * SIZE + b"x"
    yield "unit", "very long", b"m" * SIZE
    yield (
        "spool_records",
        "every other record is lost",
        b"".join(framed(at, b"some bytes") if at % 2 else b"x" * 26 for at in range(1, 10_000)),
    )
    yield "plant_file", "very deep", b"a=" + b"[" * SIZE
    yield "plant_file", "one very long number", b"a=" + b"9" * SIZE
    yield "csv", "a very long field", f'machine,time,force\np1,{TIME},"'.encode() + b"a" * SIZE + b'"\np1\n'
    yield "csv", "quotes only", b"machine,time,force\n" + b'"' * SIZE
    yield "json", "very many lists", b"[" + b"[]," * (SIZE // 3) + b"{}]"


@pytest.mark.parametrize(
    ("parser", "body"), [pytest.param(name, body, id=f"{name}: {what}") for name, what, body in bodies()]
)
def test_no_bytes_of_a_megabyte_take_a_second(parser: str, body: bytes) -> None:
    faults: list[Exception | None] = []

    assert cpu_seconds(lambda: faults.append(PARSERS[parser].fault(body)), enough=MOST_SECONDS) < MOST_SECONDS
    assert faults[0] is None


@pytest.mark.parametrize(
    "metrics",
    [
        pytest.param(b"\x12\x00" * (SIZE // 2), id="very many that are empty"),
        pytest.param(b"\x12\x06\x4a\x04\x0a\x00\x0a\x00" * (SIZE // 8), id="properties without values"),
        pytest.param(
            sparkplug_of(*({"name": f"k{at}", "alias": at, "int_value": 1} for at in range(50_000))), id="own names"
        ),
        pytest.param(sparkplug_of(*({"name": "force", "string_value": "x"} for _ in range(60_000))), id="texts"),
        pytest.param(sparkplug_of(*({"alias": at, "int_value": 1} for at in range(100_000))), id="unknown aliases"),
    ],
)
def test_no_sparkplug_message_of_a_megabyte_takes_a_second(metrics: bytes) -> None:
    messages = [Message(b"spBv1.0/g/DDATA/node/p1", metrics, ARRIVED)]

    def hear() -> object:
        return SparkplugHost(plant().mqtt[0], plant(), {}).hear(messages, NOW)

    assert cpu_seconds(hear, enough=MOST_SECONDS) < MOST_SECONDS


def test_a_sparkplug_quality_without_a_value_says_nothing() -> None:
    payload = sparkplug_of({"name": "force", "double_value": 2.5, "properties": {"keys": ["Quality"]}})

    heard = SparkplugHost(plant().mqtt[0], plant(), {}).hear(
        [Message(b"spBv1.0/g/NBIRTH/node", b"", ARRIVED), Message(b"spBv1.0/g/DBIRTH/node/p1", payload, ARRIVED)], NOW
    )

    assert [each.count for each in heard.readings] == [1]


def test_a_sparkplug_text_that_is_not_utf8_becomes_a_letter() -> None:
    payload = sparkplug_of({"name": "force", "string_value": "xx"}).replace(b"xx", b"\xff\xff")

    heard = SparkplugHost(plant().mqtt[0], plant(), {}).hear(
        [Message(b"spBv1.0/g/DDATA/node/p1", payload, ARRIVED)], NOW
    )

    assert [each.kind for each in heard.letters] == ["sparkplug"]


def test_edge_nodes_that_somebody_makes_up_are_forgotten_again() -> None:
    host = SparkplugHost(plant().mqtt[0], plant(), {})
    for at in range(0, MOST_NODES + 500, 100):
        host.hear([Message(f"spBv1.0/g/NBIRTH/n{at + each}".encode(), b"", ARRIVED) for each in range(100)], NOW)

    assert len(host._nodes) == MOST_NODES


def test_topics_that_somebody_makes_up_are_not_remembered() -> None:
    decoder = MessageDecoder(plant().mqtt[0], plant())
    messages = [Message(b"%06d" % at + b"x" * 60_000, b"", ARRIVED) for at in range(200)]
    tracemalloc.start()
    try:
        for message in messages:
            decoder.decode([message], NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 3_000_000


def arrow(**columns: object) -> bytes:
    rows = max(len(each) for each in columns.values() if isinstance(each, pa.Array))
    moments = pa.array([NOW], pa.timestamp("us", "UTC")).take(pa.array([0] * rows))
    return arrow_of(pa.table({"machine": pa.array(["p1"] * rows), "time": moments, **columns}))


def decoded_arrow(body: bytes) -> Decoded:
    decoded = decode_arrow(body, plant(), now=NOW)
    dead_letters(Body("arrow", body, NOW, {}), decoded)
    return decoded


def views(text: str, rows: int) -> pa.Array:
    """Give a column whose cells all are one and the same text, in memory only once."""
    one = pa.array([text], pa.string_view()).buffers()
    view = one[1].to_pybytes()[:16]
    return pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(view * rows), one[2]])


@pytest.mark.parametrize("where", ["machine", "time", "force", "more"])
@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(lambda: views("x" * 600_000, 20_000), id="views of one text"),
        pytest.param(
            lambda: pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int8()), pa.array(["x" * 400_000])),
            id="a dictionary of one text",
        ),
    ],
)
def test_a_text_that_stands_in_many_rows_is_not_unpacked(cells: Callable[[], pa.Array], where: str) -> None:
    body = arrow(**{where: cells()})
    before = pa.total_allocated_bytes()

    with pytest.raises(SourceError, match="texts of more than"):
        decoded_arrow(body)

    assert pa.total_allocated_bytes() - before < SIZE
    assert cpu_seconds(lambda: PARSERS["arrow"].fault(body), enough=MOST_SECONDS) < MOST_SECONDS


def test_a_packed_arrow_body_is_as_large_as_it_unpacks_to() -> None:
    table = pa.table({"machine": ["p1"] * 1000, "time": pa.array([NOW] * 1000), "force": [0.0] * 1000})
    plain, packed = (Body("arrow", arrow_of(table, packing), NOW, {}) for packing in (None, "zstd"))

    assert len(packed.body) < 4_000 < 16_000 < packed.unpacked_bytes <= plain.unpacked_bytes == len(plain.body)
    assert Body("json", b"[]", NOW, {}).unpacked_bytes == 2
    assert Body("arrow", packed.body[:300], NOW, {}).unpacked_bytes == 300


@pytest.mark.parametrize("packing", ["zstd", "lz4"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_an_arrow_body_that_unpacks_to_much_is_refused_before_it_does(packing: str, dictionary: bool) -> None:
    text = pa.array(["\0" * 100_000_000])
    moments = pa.array([NOW], pa.timestamp("us", "UTC"))
    cells = text.dictionary_encode() if dictionary else text
    body = arrow_of(pa.table({"machine": pa.array(["p1"]), "time": moments, "force": cells}), packing)
    del text, cells
    peak = pa.default_memory_pool().max_memory()

    with pytest.raises(SourceError, match="unpacks to more than"):
        decoded_arrow(body)

    assert len(body) < SIZE
    assert pa.default_memory_pool().max_memory() == peak


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.int64()),
        pa.struct([("a", pa.int64())]),
        pa.map_(pa.string(), pa.int64()),
        pa.binary(),
        pa.duration("s"),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["machine", "time", "force", "more"])
def test_an_arrow_column_of_another_kind_is_named(kind: pa.DataType, where: str) -> None:
    with pytest.raises(SourceError, match=f"column '{where}' of"):
        decoded_arrow(arrow(**{where: pa.nulls(1, kind)}))


@pytest.mark.parametrize(
    ("where", "cells"),
    [
        ("time", pa.array(np.array([1], np.float16))),
        ("machine", pa.array([2**62], pa.timestamp("s"))),
        ("machine", pa.array([1], pa.timestamp("us", "Nowhere/Land"))),
        ("more", pa.array([1], pa.timestamp("us", "Nowhere/Land"))),
        ("more", pa.array(["x"], pa.string_view())),
    ],
    ids=["a half as time", "a time that no calendar has", "no zone", "no zone in no signal", "view"],
)
def test_an_odd_arrow_cell_is_turned_away_alone(where: str, cells: pa.Array) -> None:
    assert (
        decoded_arrow(arrow(**{where: cells, **({} if where == "force" else {"force": pa.array([1.0])})})).rejected == 1
    )


@pytest.mark.parametrize("kind", ["json", "mqtt"])
def test_a_value_that_is_just_not_too_deep_to_be_read_is_turned_away(kind: str) -> None:
    turned_away = 0
    for depth in range(850, 1_000):
        deep = "[" * depth + "]" * depth
        if kind == "json":
            body = f'[{{"machine":"p1","time":"{TIME}","force":{deep}}}]'.encode()
        else:
            body = f'{{"force":{deep}}}'.encode()
        try:
            decoded = DECODERS[kind](body, {"stream": "hall", "topic": "w/p1"}, plant(), NOW)
        except SourceError:
            continue
        dead_letters(Body(kind, body, NOW, {}), decoded)
        turned_away += decoded.rejected

    assert turned_away > 0


@pytest.mark.parametrize(
    "row", [["g", "n", 5, "force", 1, 1.5], ["g", 1.5, "p1", "force", 1, 1.5], [[], "n", "p1", {}, 1, 1]]
)
def test_a_letter_of_sparkplug_with_names_that_are_no_texts_is_for_people(row: list[object]) -> None:
    with pytest.raises(SourceError, match="for people to look at"):
        DECODERS["sparkplug"](json.dumps([row]).encode(), {"stream": "hall"}, plant(), NOW)


def test_half_a_character_in_what_is_no_row_can_be_told() -> None:
    body = f'[{{"machine":"p1","time":"{TIME}","force":1}},"\\ud800"]'.encode()

    decoded = DECODERS["json"](body, {}, plant(), NOW)

    assert [each.value.encode() for each in decoded.rejections] == [b"?"]


def test_a_kafka_message_with_no_good_line_is_turned_away() -> None:
    decoded = DECODERS["kafka"](b"a\nb\n", {**KAFKA, "topic": "lines"}, plant(), NOW)

    assert decoded.rejected == 2


@pytest.mark.parametrize("text", ["a" + ".b" * 490, "a" + "[b]" * 330, "a" + "()" * 490])
def test_an_expression_that_is_too_deep_to_be_quoted_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="has no meaning here"):
        read_expression(text, ["a"])


@pytest.mark.parametrize(
    "text",
    [
        "m**1e9",
        "m**9**9**9",
        "9 ** 9 ** 9 ** 9",
        "9**(+9+0)**9",
        "1e999999999 m",
        "m³³³³³",
        "((9m)**99)**99",
        "9 squared squared",
    ],
)
def test_a_unit_that_would_take_for_ever_is_not_known(text: str) -> None:
    with pytest.raises(UnitError, match="is not known"):
        conversion(text, "m")


@pytest.mark.parametrize(
    ("one", "other"),
    [("g/Hz**0.5", "g/Hz^(1/2)"), ("(m/s)**2", "m²/s²"), ("kg m**2/s**3", "W"), ("W/(m**2*K)", "W/m^2/K")],
)
def test_a_unit_with_small_powers_is_known(one: str, other: str) -> None:
    assert str(conversion(one, other)) == "value"


def test_machines_of_all_ranges_together_are_bounded(tmp_path: Path) -> None:
    ranges = ", ".join(f'"a{each}-1..99999"' for each in range(50))
    path = tmp_path / "plant.toml"
    path.write_text(f'{PLANT_TEXT}\n[[machines]]\nclass = "press"\nnames = [{ranges}]\n')

    with pytest.raises(PlantFileError, match="makes too many; a plant has 100000 machines at most"):
        PARSERS["plant_file"].read(path.read_bytes())


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{"], ids=["cut off", "no text", "no mark", "no JSON"])
def test_a_mark_that_nobody_wrote_is_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "mark"
    path.write_bytes(struct.pack("<II", max(7 - 7 * len(text), len(text)), zlib.crc32(text)) + text)

    assert read_mark(path) is None


def test_records_around_a_lost_one_are_found_whatever_their_numbers_end_with() -> None:
    kept = [at for at in range(200, 330) if at % 3]

    data = b"".join(framed(at, b"some") if at % 3 else b"lost bytes" for at in range(200, 330))

    assert [each.number for each in whole_records(data, 199)] == kept


def test_a_first_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a" * (17 << 20))

    with pytest.raises(SourceError, match="first line is longer than"):
        CsvFile(path)


def test_a_long_name_of_a_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"time," + b"a" * 200_000 + b"\n1,2\n")

    assert [len(each) for each in CsvFile(path).columns] == [4, 200_000]
