"""Every parser of what comes from outside, as a table: seeds, a function of bytes, and the errors it may raise.

``tests.trials.fuzz`` feeds it for minutes, ``tests/test_parsers.py`` for seconds. A parser that raises any other
error has a fault; so has one that gives a text that no file or database can hold, or a fast decoder that says
something else than the careful one.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from starlette.exceptions import HTTPException

from ingest.decode.again import DECODERS
from ingest.decode.clean.decoder import BodyDecoder
from ingest.decode.cut import Body, dead_letters
from ingest.decode.kafka import Message as KafkaMessage
from ingest.decode.kafka import MessageDecoder as KafkaDecoder
from ingest.decode.mqtt import Message, MessageDecoder
from ingest.decode.number import numbers
from ingest.decode.reject import Rejects
from ingest.decode.rows import Decoded
from ingest.decode.sparkplug_payload import message_class
from ingest.decode.time import times
from ingest.decode.topic import Template, covers, filled, overlap, words_in
from ingest.decode.zone import LocalClock
from ingest.duration import parse_duration
from ingest.errors import ExpressionError, PlantFileError, SourceError, UnitError
from ingest.expression import Given, read_expression
from ingest.plant import Plant
from ingest.plant_file import load_plant
from ingest.proposal import propose
from ingest.report import Rejection
from ingest.sources.sparkplug_host import SparkplugHost
from ingest.spool_mark import read_mark
from ingest.spool_record import framed, whole_records
from ingest.unit import conversion
from service.api.body import unpack
from service.api.events import read_events, rows_of
from service.api.problem import ProblemError

NOW = datetime(2026, 5, 3, 4, tzinfo=UTC)
ARRIVED = int(NOW.timestamp()) * 1_000_000
TIME = "2026-05-03T03:00:00Z"
PLANT_TEXT = """\
name = "Works"
time_zone = "Europe/Berlin"

[[classes]]
name = "press"
components = ["bearing"]
running = "force > 10 and state != 'repair'"
[[classes.signals]]
name = "force"
unit = "kN"
range = [0, 100]
every = "1 min"
[[classes.signals]]
name = "heat"
unit = "degC"
[[classes.signals]]
name = "oil level"

[[classes]]
name = "pump"
[[classes.signals]]
name = "flow"
range = [-5, 5]
[[classes.signals]]
name = "heat"
unit = "°C"
range = [0, 90]

[[machines]]
names = ["p1..3", "Säge"]
class = "press"
line = "L1"
[[machines]]
name = "q1"
class = "pump"

[[events]]
machine = "p1"
kind = "failure"
time = 2026-05-01 06:00:00

[[sources]]
name = "history"
path = "history/*.csv"
machine = "machine"
time = "time"
time_format = "%d.%m.%Y %H:%M"

[[mqtt]]
name = "hall"
host = "broker"
sparkplug = { machine = "{device}" }
[[mqtt.topics]]
template = "n/{line}/{machine}/{signal}"
[[mqtt.topics]]
template = "j/{machine}/{signal}"
payload = "json"
[[mqtt.topics]]
template = "w/{machine}/#"
payload = "json"
time_format = "ms"
units = { heat = "degF" }

[[kafka]]
name = "bus"
servers = ["kafka:9092"]
[[kafka.topics]]
topic = "json"
machine_is = "{key}"
[[kafka.topics]]
topic = "long"
signal_column = "signal"
value_column = "value"
[[kafka.topics]]
topic = "csv"
format = "csv"
time_format = "ms"
[[kafka.topics]]
topic = "lines"
format = "line_protocol"
[[kafka.topics]]
topic = "arrow"
format = "arrow"

[[models]]
name = "press failure"
task = "failure_risk"
class = "press"
horizon = "24 h"

[[jobs]]
name = "train"
action = "train"
cron = "0 3 * * 0"
"""


@dataclass(frozen=True)
class Parser:
    """One parser.

    Attributes
    ----------
    read : takes any bytes
    seeds : bytes that it understands
    declared : the errors that it may raise
    words : what stands in its texts, for whoever makes up bytes
    """

    read: Callable[[bytes], object]
    seeds: Sequence[bytes]
    declared: tuple[type[Exception], ...] = ()
    words: Sequence[bytes] = field(default=())

    def fault(self, data: bytes) -> Exception | None:
        """Return the error that it should not have raised; ``None`` if all is well."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.read(data)
        except self.declared:
            return None
        except Exception as error:
            return error
        return None


class WrongError(Exception):
    """A parser gave what it must not give."""


@cache
def plant() -> Plant:
    """Return the plant that the parsers know."""
    with TemporaryDirectory() as folder:
        return _plant_of(Path(folder), PLANT_TEXT.encode())


def _plant_of(folder: Path, text: bytes) -> Plant:
    path = folder / "plant.toml"
    path.write_bytes(text)
    return load_plant(path)


def arrow_of(table: pa.Table, compression: str | None = None) -> bytes:
    """Return a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def check_decoded(decoded: Decoded) -> None:
    """Raise ``WrongError`` if a decoding holds what cannot be kept or counted."""
    for each in decoded.rejections:
        _check_texts(each)
    for readings in decoded.readings:
        readings.table.validate(full=True)
        if readings.table["machine"].null_count or readings.table["time"].null_count:
            raise WrongError("a reading without machine or time")
    if decoded.rejected < len(decoded.rejections):
        raise WrongError(f"{decoded.rejected} turned away, {len(decoded.rejections)} listed")


def _check_texts(rejection: Rejection) -> None:
    for text in (rejection.column, rejection.value, rejection.reason):
        text.encode()
    if len(rejection.reason) > 2_000:
        raise WrongError(f"a reason of {len(rejection.reason)} characters")


def _body(kind: str) -> Callable[[bytes], object]:
    """Return what reads a body of this kind as ``POST /api/v1/readings`` does."""

    def read(data: bytes) -> object:
        body = Body(kind, data, NOW, {"precision": "us"})
        clean = _bodies().clean(body)
        try:
            careful = DECODERS[kind](data, body.head, plant(), NOW)
        except SourceError:
            if clean is not None:
                raise WrongError("the clean decoder reads what the careful one refuses") from None
            raise
        check_decoded(careful)
        for letter in dead_letters(body, careful):
            letter.reason.encode()
        if clean is not None and not _same(clean, careful):
            raise WrongError("the clean decoder says something else than the careful one")
        return careful

    return read


@cache
def _bodies() -> BodyDecoder:
    return BodyDecoder(plant())


def _same(one: Decoded, other: Decoded) -> bool:
    tables = [{each.machine_class: _sorted(each.table) for each in decoded.readings} for decoded in (one, other)]
    return one.used == other.used and not other.rejected and tables[0] == tables[1]


def _sorted(table: pa.Table) -> pa.Table:
    some = [name for name in table.column_names if table[name].null_count < table.num_rows]
    return table.select(sorted(some)).sort_by([("machine", "ascending"), ("time", "ascending")]).combine_chunks()


def _messages(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Cut bytes into messages: lines of a topic, a space and a payload."""
    for line in data.split(b"\n\n"):
        topic, _, payload = line.partition(b" ")
        yield topic, payload


def _mqtt(data: bytes) -> object:
    messages = [Message(topic, payload, ARRIVED + at) for at, (topic, payload) in enumerate(_messages(data))]
    decoded = MessageDecoder(plant().mqtt[0], plant()).decode(messages, NOW)
    check_decoded(decoded)
    return decoded


def _kafka(data: bytes) -> object:
    messages = [
        KafkaMessage(topic.decode("latin-1"), 0, at, b"p1", payload, ARRIVED)
        for at, (topic, payload) in enumerate(_messages(data))
    ]
    decoded = KafkaDecoder(plant().kafka[0], plant()).decode(messages, NOW)
    check_decoded(decoded)
    return decoded


def _letter(kind: str, **head: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        decoded = DECODERS[kind](data, head, plant(), NOW)
        check_decoded(decoded)
        return decoded

    return read


def _sparkplug(data: bytes) -> object:
    """Hear a birth, then what is given, as each kind of message."""
    host = SparkplugHost(plant().mqtt[0], plant(), {})
    kinds = ("NBIRTH/node", "DBIRTH/node/p1", "DDATA/node/p1", "NDATA/node", "DDEATH/node/p1", "NDEATH/node")
    messages = [Message(f"spBv1.0/g/{each}".encode(), data, ARRIVED + at) for at, each in enumerate(kinds)]
    heard = host.hear(messages, NOW)
    for letter in heard.letters:
        letter.reason.encode()
    return heard


def sparkplug_of(*metrics: Mapping[str, Any]) -> bytes:
    """Return a payload with these metrics."""
    payload = message_class("Payload")(timestamp=ARRIVED // 1000, seq=0)
    for each in metrics:
        payload.metrics.add(**each)
    return bytes(payload.SerializeToString())


def _times(data: bytes) -> object:
    """Read lines as times in the format that the first line names."""
    first, _, rest = data.partition(b"\n")
    column = pa.chunked_array([rest.decode("utf-8", "replace").split("\n")], pa.string())
    given = first.decode("utf-8", "replace")
    read = times(column, "time", Rejects(), given if given in ("iso", "s", "ms", "us", "ns") else "%d.%m.%Y %H:%M")
    clock = LocalClock(ZoneInfo("Europe/Berlin"))
    stamps = read.microseconds[read.usable]
    return clock.to_utc(stamps, np.zeros(len(stamps), np.int64), ["p1"])


def _numbers(data: bytes) -> object:
    column = pa.chunked_array([data.decode("utf-8", "replace").split("\n")], pa.string())
    return [numbers(column, "value", Rejects(), decimal) for decimal in (".", ",")]


def _topics(data: bytes) -> object:
    pattern, _, topic = data.decode("utf-8", "replace").partition("\n")
    template = Template(pattern)
    words = template.words(topic)
    if words is not None and filled(pattern, words) == topic and "#" not in pattern and "+" not in pattern:
        filled("/".join(f"{{{each}}}" for each in words_in(pattern)), words)
    return covers(pattern, template.filter), overlap(pattern, topic), template.filter


def _plant_file(data: bytes) -> object:
    with TemporaryDirectory() as folder:
        return _plant_of(Path(folder), data)


def _expression(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    expression = read_expression(text, ["force", "heat", "oil level"])
    cells = {name: np.array([0.0, 1.5, np.nan]) for name in expression.signals}
    return expression.truth(Given(cells, np.array(["", "run", "repair"], object)))


def _unit(data: bytes) -> object:
    one, _, other = data.decode("utf-8", "replace").partition("\n")
    return conversion(one, other or "degC")


def _duration(data: bytes) -> object:
    return parse_duration(data.decode("utf-8", "replace"))


def _records(data: bytes) -> object:
    return sum(len(each.payload) for each in whole_records(data))


def _mark(data: bytes) -> object:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        path.write_bytes(data)
        return read_mark(path)


def _packed(encoding: str) -> Callable[[bytes], object]:
    return lambda data: unpack(data, encoding, 1 << 20)


def _events(data: bytes) -> object:
    events, faults = read_events(rows_of(data), plant(), NOW)
    for each in faults:
        each.model_dump_json()
    return events


def _init(data: bytes) -> object:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes(data)
        proposal = propose([path], beside=Path(folder))
        try:
            _plant_of(Path(folder), proposal.toml.encode())
        except PlantFileError as error:
            raise WrongError(f"proposes what cannot be used: {error}") from error
        return proposal


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


def _wide(count: int = 3) -> list[dict[str, object]]:
    return [{"machine": f"p{1 + at % 3}", "time": f"2026-05-03T03:{at:02}:00Z", "force": at} for at in range(count)]


_LONG = [{"machine": "q1", "time": TIME, "signal": "heat", "value": at} for at in (1, 2.5, None, "x", True)]
_CSV = (
    b'machine,time,force,heat\np1,2026-05-03T03:00:00Z,1,2.5\np9,2026-05-03 03:00,x,\n"p2","2026-05-03T03:01",1e3,-\n'
)
_LINES = (
    b'm,site=a,machine=p1 force=1.5,heat=2i 1777777200000000\nm,machine=S\\ ge force="a b",heat=t\n# no\n'
    b"m,machine=q1 flow=1u\n"
)


def _tables() -> list[pa.Table]:
    moments = pa.array([NOW] * 2, pa.timestamp("us", "UTC"))
    wide = {"machine": ["p1", "p2"], "time": moments, "force": [1.0, None]}
    long = {"machine": ["q1", "q1"], "time": moments, "signal": ["heat", "flow"], "value": [1.0, 2.0]}
    words = {**wide, "machine": pa.array(["p1", "p2"]).dictionary_encode(), "arrived": moments}
    views = {**long, "signal": pa.array(["heat", "x"], pa.string_view()), "value": pa.array([1, 2])}
    return [pa.table(each) for each in (wide, long, words, views)]


def packed(body: bytes, encoding: str) -> bytes:
    """Return a body packed as gzip or zstd."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, encoding) as stream:
        stream.write(body)
    return sink.getvalue().to_pybytes()


def _sparkplug_seeds() -> list[bytes]:
    return [
        sparkplug_of({"name": "bdSeq", "long_value": 1, "datatype": 8}),
        sparkplug_of({"name": "force", "alias": 1, "double_value": 2.5, "datatype": 10, "timestamp": ARRIVED // 1000}),
        sparkplug_of({"alias": 1, "int_value": 4294967254, "datatype": 3}),
        sparkplug_of(
            {
                "name": "heat",
                "string_value": "x",
                "properties": {"keys": ["Quality"], "values": [{"int_value": 192}]},
            }
        ),
    ]


def _sample_csv() -> bytes:
    rows = [f"m{at % 2},2026-05-0{1 + at // 24}T{at % 24:02}:00:00Z,{at % 7 * 1.5},{at % 3}" for at in range(60)]
    return "\n".join(["machine,time,heat,state", *rows, ""]).encode()


_BODIES = (b"", _CSV, bytes(2 << 20))
_READ = (SourceError,)
_WORDS = tuple(
    each.encode() for each in ("machine", "time", "signal", "value", "arrived", "readings", "force", "heat", "p1", TIME)
)
_KEYS = tuple(sorted({line.partition(" =")[0].encode() for line in PLANT_TEXT.splitlines() if line}))

PARSERS: Mapping[str, Parser] = {
    "json": Parser(
        _body("json"),
        [
            _json(_wide()),
            _json(_LONG),
            _json({"readings": {"machine": ["p1"], "time": [TIME], "force": [1]}}),
            b'[1,"\\ud800"]',
        ],
        _READ,
        _WORDS,
    ),
    "csv": Parser(
        _body("csv"), [_CSV, b"machine,time,signal,value\r\nq1,2026-05-03T03:00:00Z,heat,1\r\n"], _READ, _WORDS
    ),
    "line_protocol": Parser(
        _body("line_protocol"), [_LINES, b"m,machine=p1 force=1 1777777200000000\n" * 3], _READ, _WORDS
    ),
    "arrow": Parser(
        _body("arrow"),
        [*map(arrow_of, _tables()), *(arrow_of(_tables()[0], each) for each in ("lz4", "zstd"))],
        _READ,
        _WORDS,
    ),
    "mqtt": Parser(
        _mqtt,
        [
            b'n/L1/p1/force 1.5\n\nn/L1/p1/heat x\n\nj/p1/heat 7\n\nj/q1/flow {"value": 1, "time": 5}',
            b"w/p1 " + _json([{"time": ARRIVED // 1000, "force": 1, "heat": 90}, {"time": 1, "heat": "x"}]),
        ],
        _READ,
        _WORDS,
    ),
    "kafka": Parser(
        _kafka,
        [
            b"json " + _json(_wide()) + b"\n\nlong " + _json(_LONG) + b"\n\ncsv " + _CSV.replace(b"\n\n", b"\n"),
            b"lines " + _LINES,
            b"json " + _json([{"key of the message": "p1", "time of the message": 1, "force": 2}]),
            *(b"arrow " + arrow_of(each) for each in _tables()),
        ],
        _READ,
        _WORDS,
    ),
    "kafka_letter": Parser(
        _letter("kafka", stream="bus", topic="json", partition="0", offset="1", key="p1", time=str(ARRIVED)),
        [_json(_wide())],
        _READ,
        _WORDS,
    ),
    "mqtt_letter": Parser(_letter("mqtt", stream="hall", topic="w/p1"), [_json({"force": 1})], _READ, _WORDS),
    "sparkplug": Parser(_sparkplug, _sparkplug_seeds(), _READ, (b"Quality", b"bdSeq", b"force")),
    "sparkplug_letter": Parser(
        _letter("sparkplug", stream="hall"), [_json([["g", "n", "p1", "force", ARRIVED // 1000, 1.5]])], _READ
    ),
    "times": Parser(
        _times,
        [
            f"iso\n{TIME}\n2026-03-29 02:30\n1900-01-01\n".encode(),
            b"ms\n1777777200000\n1e9\n",
            b"d\n31.01.2026 06:00\n",
        ],
    ),
    "numbers": Parser(_numbers, [b"1\n1.5e3\n1,5\n-\nNaN\ninf\n", b"9" * 400]),
    "topics": Parser(_topics, [b"plant/{line}/+/#\nplant/l1/a/b", b"{a}/{b}\nx/y"]),
    "plant_file": Parser(_plant_file, [PLANT_TEXT.encode()], (PlantFileError,), _KEYS),
    "expression": Parser(
        _expression,
        [
            b"force > 100 and state != 'repair'",
            b"not (force + 2 * heat / 3 <= signal['oil level'] < 1e3) or state in ('a', 'b')",
            b"force in (1, 2) or not heat.a.b.c",
        ],
        (ExpressionError,),
        (b"state", b"force", b"signal[", b" and ", b" not in ", b"lambda", b"f'{", b"await "),
    ),
    "unit": Parser(
        _unit,
        [b"degF\ndegC", b"m3/h\nl/min", b"kg*m/s^2\nN", b"%\nppm"],
        (UnitError,),
        (b"**", b"degF", b"kilo", b"1e9"),
    ),
    "duration": Parser(_duration, [b"90 s", b"1.5 min", b"9" * 400 + b" d"], (ValueError,)),
    "spool_records": Parser(_records, [framed(1, b"ab") + framed(2, b"c" * 40) + framed(0, b"{}") + framed(3, b"d")]),
    "spool_mark": Parser(_mark, [bytes(8192)]),
    "gzip": Parser(_packed("gzip"), [packed(each, "gzip") for each in _BODIES], (HTTPException,)),
    "zstd": Parser(_packed("zstd"), [packed(each, "zstd") for each in _BODIES], (HTTPException,)),
    "events": Parser(
        _events,
        [
            _json(
                [{"machine": "p1", "kind": "failure", "time": TIME, "end": None, "value": 1, "note": "a", "x\ud800": 1}]
            ),
            _json({"machine": "p9", "kind": "stop", "time": "2026-05-03T03:00:00"}),
        ],
        (ProblemError,),
        (b"machine", b"kind", b"failure", b"time", b"component", b"code"),
    ),
    "init": Parser(_init, [_sample_csv(), _sample_csv().replace(b",", b";").replace(b".", b",")], _READ),
}
