"""Messages of Kafka to readings, by the topics of the plant file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.batch import BatchDecoder
from ingest.decode.long_rows import together
from ingest.decode.machine import encoded
from ingest.decode.message_rows import MACHINE, READERS, TIME, Numbered, Rows, wanted_columns
from ingest.decode.number import empty
from ingest.decode.rows import Decoded
from ingest.decode.topic import filled
from ingest.errors import SourceError
from ingest.plant import Plant, Source
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.reading import TIME as MOMENTS
from ingest.report import Rejection

_MOST_SHAPES = 100
_MACHINE, _TIME = "key of the message", "time of the message"
"""Columns of what the message, not its body, says."""


class Message(NamedTuple):
    """A message as it came.

    Attributes
    ----------
    body : ``None`` where the key was deleted; it says nothing
    time : of producer or broker, in microseconds since 1970, no two of a partition the same; ``None`` if
        neither gave any
    """

    topic: str
    partition: int
    offset: int
    key: bytes
    body: bytes | None
    time: int | None


class MessageDecoder:
    """Decodes the messages of one stream, many at a time, in the order of their arrival."""

    def __init__(self, stream: Kafka, plant: Plant) -> None:
        self._name = stream.name
        self._shapes = {each.topic: _Shape(each, plant) for each in stream.topics}

    def decode(self, messages: Sequence[Message], now: datetime) -> Decoded:
        """Decode messages; a row without a time of its own is of the moment when its message was made.

        Returns
        -------
        Decoded
            Lines in its rejections are the numbers of the messages, counted from 1.

        Raises
        ------
        SourceError
            When nothing of them can be understood, or too much comes at once.
        """
        of_topic: dict[str, list[Numbered]] = {}
        bad: list[Rejection] = []
        for number, message in enumerate(messages):
            if message.topic not in self._shapes:
                bad.append(Rejection(number + 1, "", "", f"stream {self._name!r} has no topic {message.topic!r}"))
            elif message.body is not None:
                of_topic.setdefault(message.topic, []).append(Numbered(number, message.body))
        parts = [Decoded(rejections=bad, rejected=len(bad), rows=len(bad))]
        for topic, bodies in of_topic.items():
            parts += self._shapes[topic].decode(bodies, messages, now)
        return together(parts)


class _Shape:
    """One ``[[kafka.topics]]`` table."""

    def __init__(self, topic: KafkaTopic, plant: Plant) -> None:
        self._topic, self._plant = topic, plant
        self._lines = topic.format == "line_protocol"
        self._machine = [_MACHINE] if topic.machine_is else [MACHINE] if self._lines else topic.machine
        self._time = TIME if self._lines else topic.time
        replaced = {*topic.machine, MACHINE} if topic.machine_is else set()
        self._wanted = [name for name in wanted_columns(topic) if name not in replaced]
        self._decoders: dict[tuple[str, ...], BatchDecoder] = {}

    def decode(self, bodies: Sequence[Numbered], messages: Sequence[Message], now: datetime) -> list[Decoded]:
        bad: list[Rejection] = []
        parts: list[Decoded] = []
        for rows in READERS[self._topic.format](bodies, self._topic, bad):
            if rows.table.num_rows:
                parts += self._decode(rows, messages, now)
        return [*parts, Decoded(rejections=bad, rejected=len(bad), rows=len(bad))]

    def _decode(self, rows: Rows, messages: Sequence[Message], now: datetime) -> list[Decoded]:
        """Decode rows with a time of their own, then those without."""
        table, origins = rows.table, np.asarray(rows.origins)
        if self._topic.machine_is:
            table = table.append_column(_MACHINE, self._machines(origins, messages))
        for name in self._wanted:
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(len(table), pa.string()))
        if self._topic.signal_column is not None and self._topic.signals is not None:
            chosen = _one_of(table[self._topic.signal_column], self._topic.signals.values())
            table, origins = table.filter(chosen), origins[chosen]
        untimed = empty(table[self._time])
        parts: list[Decoded] = []
        if not untimed.all():
            parts.append(self._decode_rows(table.filter(~untimed), origins[~untimed], now, self._time))
        if untimed.any():
            origins = origins[untimed]
            moments = pa.array([messages[each].time for each in origins.tolist()], pa.int64()).cast(MOMENTS)
            table = table.filter(untimed).drop_columns([self._time]).append_column(_TIME, moments)
            parts.append(self._decode_rows(table, origins, now, _TIME))
        return parts

    def _decode_rows(self, table: pa.Table, origins: NDArray[np.int64], now: datetime, time: str) -> Decoded:
        names = tuple(table.column_names)
        decoder = self._decoders.get(names)
        if decoder is None:
            if len(self._decoders) >= _MOST_SHAPES:
                self._decoders.clear()
            decoder = BatchDecoder(self._plant, self._source(time), names, "the message")
            self._decoders[names] = decoder
        return decoder.decode(table, now, lambda row: int(origins[row]) + 1)

    def _source(self, time: str) -> Source:
        topic = self._topic
        return Source(
            name=topic.topic,
            path="-",
            machine=self._machine,
            time=[time],
            time_format="iso" if self._lines else topic.time_format,
            time_zone=topic.time_zone,
            signals=topic.signals,
            units=topic.units,
            signal_column=topic.signal_column,
            value_column=topic.value_column,
            other_machines=topic.other_machines,
            decimal=topic.decimal,
        )

    def _machines(self, origins: NDArray[np.int64], messages: Sequence[Message]) -> pa.Array:
        pattern = self._topic.machine_is
        if pattern == filled(pattern, {"key": ""}):
            return pa.repeat(pattern, len(origins))
        keys = {each: messages[each].key.decode("utf-8", "replace") for each in set(origins.tolist())}
        names = {each: filled(pattern, {"key": key}) if key else None for each, key in keys.items()}
        return pa.array([names[each] for each in origins.tolist()], pa.string())


def _one_of(column: pa.ChunkedArray, names: Iterable[str]) -> NDArray[np.bool_]:
    codes, labels = encoded(column)
    known = set(names)
    return np.array([*(each in known for each in labels), False], np.bool_)[codes]


def decode_kafka(body: bytes, head: Mapping[str, str], plant: Plant, *, now: datetime) -> Decoded:
    """Decode one message that could not be understood when it came, as the plant file stands now.

    Parameters
    ----------
    head : ``stream``, ``topic``, ``partition``, ``offset``, ``key`` and ``time`` of the message
    now : when it arrived

    Raises
    ------
    SourceError
        When nothing of it can be understood, or the plant file has no such stream any more.
    """
    stream = next((each for each in plant.kafka if each.name == head["stream"]), None)
    if stream is None:
        raise SourceError(f"the plant has no [[kafka]] stream {head['stream']!r} any more")
    message = Message(
        topic=head["topic"],
        partition=int(head["partition"]),
        offset=int(head["offset"]),
        key=head["key"].encode(),
        body=body,
        time=int(head["time"]) if head["time"] else None,
    )
    return MessageDecoder(stream, plant).decode([message], now)


def head_of(message: Message, stream: str) -> dict[str, str]:
    """Return what ``decode_kafka`` must know of a message beside its body."""
    return {
        "stream": stream,
        "topic": message.topic,
        "partition": str(message.partition),
        "offset": str(message.offset),
        "key": message.key.decode("utf-8", "replace"),
        "time": "" if message.time is None else str(message.time),
    }
