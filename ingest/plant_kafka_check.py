"""Whether the ``[[kafka]]`` tables of a plant file fit together, and fit the rest of it."""

import re
from collections.abc import Iterator

from ingest import plant_stream_check
from ingest.plant_draft import Draft
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.plant_problem import Problem
from ingest.plant_unit_check import check_units
from ingest.plant_words import Location, either

_SERVER = re.compile(r"[^\s,/]+:\d{1,5}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_COUNTS = ("s", "ms", "us", "ns")


def check_kafka(draft: Draft) -> Iterator[Problem]:
    """Give what does not fit together, stream by stream."""
    for index, stream in draft.kafka.items():
        at: Location = ("kafka", index)
        yield from plant_stream_check.name(draft, at, stream.name)
        yield from plant_stream_check.connection(at, stream)
        yield from _servers(at, stream)
        names = [each.topic for each in stream.topics]
        for position, topic in enumerate(stream.topics):
            here: Location = (*at, "topics", position)
            if topic.topic in names[:position]:
                yield Problem((*here, "topic"), f"{topic.topic!r} stands here a second time; describe a topic once")
            yield from _topic(draft, here, topic)


def _servers(at: Location, stream: Kafka) -> Iterator[Problem]:
    for position, server in enumerate(stream.servers):
        if not _SERVER.fullmatch(server):
            yield Problem((*at, "servers", position), f"{server!r} is no address; write one such as 'kafka-1:9092'")


def _topic(draft: Draft, at: Location, topic: KafkaTopic) -> Iterator[Problem]:
    if not _TOPIC.fullmatch(topic.topic):
        yield Problem((*at, "topic"), f"{topic.topic!r} is no topic; write letters, digits, '.', '_' and '-'")
    if topic.machine_is:
        if "machine" in topic.model_fields_set:
            yield Problem((*at, "machine"), "stands beside 'machine_is'; keep one of the two")
        yield from plant_stream_check.pattern(draft, (*at, "machine_is"), topic.machine_is, ("key",), "machine")
    elif not topic.machine:
        yield Problem((*at, "machine"), "is empty; write the key that names the machine, or machine_is")
    yield from plant_stream_check.signals(draft, at, topic.signals)
    yield from check_units(draft, (*at, "units"), topic.units)
    if (topic.signal_column is None) != (topic.value_column is None):
        missing = "value_column" if topic.signal_column else "signal_column"
        yield Problem((*at, missing), "is missing; one signal a row needs signal_column and value_column")
    if topic.format == "line_protocol":
        yield from _line_protocol(at, topic)
    else:
        yield from plant_stream_check.time_format(at, topic.time_format)
    if topic.format != "csv":
        for key in {"columns", "delimiter"} & topic.model_fields_set:
            yield Problem((*at, key), "has a meaning for format = 'csv' only; leave it out")
    elif len(topic.delimiter) != 1 or topic.delimiter == topic.decimal:
        yield Problem((*at, "delimiter"), f"{topic.delimiter!r} must be one character, and not the decimal mark")


def _line_protocol(at: Location, topic: KafkaTopic) -> Iterator[Problem]:
    if "time_format" in topic.model_fields_set and topic.time_format not in _COUNTS:
        yield Problem((*at, "time_format"), f"{topic.time_format!r} is unknown in line protocol; {either(_COUNTS)}")
    if len(topic.machine) > 1:
        yield Problem((*at, "machine"), "names several; in line protocol one tag names the machine")
    for key in {"time", "signal_column", "value_column"} & topic.model_fields_set:
        yield Problem((*at, key), "has no meaning in line protocol, whose lines hold fields and a time; leave it out")
