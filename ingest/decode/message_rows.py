"""Messages that each hold a body of rows, laid together as few tables, one way for each format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from ingest.decode.arrow import arrow_table
from ingest.decode.csv import csv_part
from ingest.decode.json import json_rows, table_of
from ingest.decode.line_protocol import Lines, lines_in, refuse_many_lines
from ingest.errors import SourceError
from ingest.plant_kafka import KafkaTopic
from ingest.report import Rejection

MACHINE, TIME = "machine", "time"
"""What line protocol calls its columns of machine and time."""


class Numbered(NamedTuple):
    """A body, and the number of its message, from 0."""

    number: int
    body: bytes


class Rows(NamedTuple):
    """Rows, and the number of the message that each came with."""

    table: pa.Table
    origins: Sequence[int]


Reader = Callable[[Sequence[Numbered], KafkaTopic, list[Rejection]], Iterator[Rows]]
"""Gives rows of messages; what it cannot read, it puts into the list, under the message's number from 1."""


def _json(messages: Sequence[Numbered], topic: KafkaTopic, bad: list[Rejection]) -> Iterator[Rows]:
    rows: list[Mapping[str, Any]] = []
    origins: list[int] = []
    for number, body in messages:
        try:
            found = json_rows(body)
        except SourceError as error:
            bad.append(Rejection(number + 1, "", "", str(error)))
            continue
        rows += found
        origins += [number] * len(found)
    wanted = None if topic.signals is None else wanted_columns(topic)
    names = (name for row in rows for name in row if wanted is None or name in wanted)
    yield Rows(table_of(rows, names), origins)


def _lines(messages: Sequence[Numbered], topic: KafkaTopic, bad: list[Rejection]) -> Iterator[Rows]:
    lines = Lines("" if topic.machine_is else topic.machine[0])
    for number, body in messages:
        try:
            refuse_many_lines(body)
        except SourceError as error:
            bad.append(Rejection(number + 1, "", "", str(error)))
            continue
        for line, text in lines_in(body):
            try:
                lines.add(number, text)
            except ValueError as error:
                bad.append(Rejection(number + 1, "", text[:80], f"line {line}: {error}"))
    precision = "ns" if topic.time_format == "iso" else topic.time_format
    yield Rows(lines.table(None, precision), lines.numbers)


def _csv(messages: Sequence[Numbered], topic: KafkaTopic, bad: list[Rejection]) -> Iterator[Rows]:
    for number, body in messages:
        try:
            part = csv_part(body, topic.delimiter, topic.columns)
        except SourceError as error:
            bad.append(Rejection(number + 1, "", "", str(error)))
            continue
        bad += [Rejection(number + 1, "", each.value, f"line {each.line}: {each.reason}") for each in part.broken]
        yield Rows(part.table, [number] * part.table.num_rows)


def _arrow(messages: Sequence[Numbered], _: KafkaTopic, bad: list[Rejection]) -> Iterator[Rows]:
    for number, body in messages:
        try:
            table = arrow_table(body)
        except SourceError as error:
            bad.append(Rejection(number + 1, "", "", str(error)))
            continue
        yield Rows(table, [number] * table.num_rows)


def _one_after_another(reader: Reader) -> Reader:
    """Return a reader that lays tables of one shape, which came one after another, together."""

    def read(messages: Sequence[Numbered], topic: KafkaTopic, bad: list[Rejection]) -> Iterator[Rows]:
        for _, alike in groupby(reader(messages, topic, bad), key=lambda each: each.table.schema):
            several = list(alike)
            table = pa.concat_tables([each.table for each in several]).combine_chunks()
            yield Rows(table, [origin for each in several for origin in each.origins])

    return read


READERS: Mapping[str, Reader] = {
    "json": _json,
    "csv": _one_after_another(_csv),
    "line_protocol": _lines,
    "arrow": _one_after_another(_arrow),
}


def wanted_columns(topic: KafkaTopic) -> list[str]:
    """Return the columns that a topic names, whether or not each message has them."""
    if topic.format == "line_protocol":
        return [MACHINE, TIME, *(topic.signals or {}).values()]
    named = [*topic.machine, topic.time]
    if topic.signal_column is not None and topic.value_column is not None:
        return [*named, topic.signal_column, topic.value_column]
    return [*named, *(topic.signals or {}).values()]
