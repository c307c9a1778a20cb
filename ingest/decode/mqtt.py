"""Messages of MQTT to readings, by the templates of the plant file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from ingest.catalogue import to_microseconds
from ingest.decode.json import encodable
from ingest.decode.long_rows import LongRows, together
from ingest.decode.place import Places
from ingest.decode.rows import Decoded
from ingest.decode.topic import Template, filled, words_in
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.report import Rejection

_MOST_TOPICS = 100_000
_LONGEST_TOPIC = 1_000
"""Bytes of a topic that is remembered; a topic may have 65,535."""


class Message(NamedTuple):
    """A message as it came.

    Attributes
    ----------
    arrived : in microseconds since 1970, no two of one stream the same
    old : whether the broker had kept it for whoever subscribes, so that its arrival says nothing of its time;
        readings without a time of their own are then passed over
    """

    topic: bytes
    payload: bytes
    arrived: int
    old: bool = False


@dataclass(frozen=True, slots=True)
class _Route:
    """What a topic says: its place among the templates, machine, and signal; empty if it names none."""

    shape: "_Shape"
    machine: str
    signal: str


class _Shape:
    """One ``[[mqtt.topics]]`` table, and the readings of its messages that wait to be decoded."""

    def __init__(self, plant: Plant, topic: MqttTopic) -> None:
        self.topic = topic
        self.template = Template(topic.template)
        self.names_signal = set(words_in(topic.signal)) <= set(self.template.names)
        self.wanted = None if topic.signals is None else set(topic.signals.values())
        given = {name: getattr(topic, name) for name in ("signals", "units", "decimal", "time_zone")}
        self.timed = LongRows(plant, {**given, "time_format": topic.time_format})
        self.untimed = LongRows(plant, given, stamped=True)


class MessageDecoder:
    """Decodes the messages of one stream, many at a time, in the order of their arrival."""

    def __init__(self, stream: Mqtt, plant: Plant) -> None:
        self._name = stream.name
        self._shapes = [_Shape(plant, each) for each in stream.topics]
        self._places = Places(plant)
        self._routes: dict[bytes, _Route | str | None] = {}

    def decode(self, messages: Sequence[Message], now: datetime) -> Decoded:
        """Decode messages; a reading without a time of its own is of the moment when its message arrived.

        Returns
        -------
        Decoded
            Lines in its rejections are the numbers of the messages, counted from 1.
        """
        bad: list[Rejection] = []
        routes = self._routes
        for number, message in enumerate(messages):
            topic, payload, arrived, old = message
            route = routes[topic] if topic in routes else self._route(topic)
            if route is None:
                continue
            if isinstance(route, str):
                bad.append(Rejection(number + 1, "", "", route))
            elif route.shape.topic.payload == "number":
                if not old:
                    route.shape.untimed.add(number, route.machine, arrived, route.signal, payload)
            else:
                reason = _add_json(number, route, message)
                if reason:
                    bad.append(Rejection(number + 1, "", "", reason))
        rows = [each for shape in self._shapes for each in (shape.timed, shape.untimed)]
        decoded = together([part for each in rows for part in each.decode(now)])
        decoded.rejections.extend(bad)
        return Decoded(
            readings=decoded.readings,
            rejections=decoded.rejections,
            rejected=decoded.rejected + len(bad),
            rows=decoded.rows + len(bad),
            used=decoded.used,
            missing=decoded.missing,
            turned_away=decoded.turned_away,
        )

    def _route(self, topic: bytes) -> _Route | str | None:
        """Find what a topic says: a route, the reason why there is none, or ``None`` to pass it over."""
        found = self._found(topic.decode("utf-8", "replace"))
        if len(topic) <= _LONGEST_TOPIC:
            if len(self._routes) >= _MOST_TOPICS:
                self._routes.clear()
            self._routes[topic] = found
        return found

    def _found(self, topic: str) -> _Route | str | None:
        for shape in self._shapes:
            words = shape.template.words(topic)
            if words is not None:
                machine = filled(shape.topic.machine, words)
                if elsewhere := self._places.contradiction(machine, words):
                    return elsewhere
                signal = filled(shape.topic.signal, words) if shape.names_signal else ""
                if signal and shape.wanted is not None and signal not in shape.wanted:
                    return None
                return _Route(shape, machine, signal)
        return f"no template of stream {self._name!r} fits its topic {topic[:200]!r}"


def decode_mqtt(body: bytes, head: Mapping[str, str], plant: Plant, *, now: datetime) -> Decoded:
    """Decode one message that could not be understood when it came, as the plant file stands now.

    Parameters
    ----------
    head : ``stream`` and ``topic`` of the message
    now : when it arrived

    Raises
    ------
    SourceError
        When the plant file has no such stream any more.
    """
    stream = next((each for each in plant.mqtt if each.name == head["stream"]), None)
    if stream is None:
        raise SourceError(f"the plant has no [[mqtt]] stream {head['stream']!r} any more")
    message = Message(head["topic"].encode(), body, to_microseconds(now))
    return MessageDecoder(stream, plant).decode([message], now)


def _add_json(number: int, route: _Route, message: Message) -> str:
    """Add the readings of a JSON message; return why there are none, empty if all is well."""
    try:
        content = json.loads(message.payload)
    except (ValueError, RecursionError) as error:
        return f"its payload is not JSON ({error})"
    entries = content if isinstance(content, list) else [content]
    shape, rows = route.shape, []
    for entry in entries:
        if not isinstance(entry, dict) and not route.signal:
            return "its payload is no JSON object with a key for each signal"
        own = entry.get(shape.topic.time) if isinstance(entry, dict) else None
        if own is None and len(entries) > 1:
            return f"several entries, and one of them has no time under the key {shape.topic.time!r}"
        if route.signal:
            if isinstance(entry, dict) and shape.topic.value not in entry:
                keys = encodable(", ".join(entry)[:200])
                return f"no value under the key {shape.topic.value!r}; the keys are: {keys}"
            value = entry[shape.topic.value] if isinstance(entry, dict) else entry
            rows.append((own, route.signal, value))
        else:
            rows += [(own, signal, value) for signal, value in _signals(entry, shape)]
    for own, signal, value in rows:
        if own is None and not message.old:
            shape.untimed.add(number, route.machine, message.arrived, signal, value)
        elif own is not None:
            shape.timed.add(number, route.machine, own, signal, value)
    return ""


def _signals(entry: Mapping[str, Any], shape: _Shape) -> Iterator[tuple[str, Any]]:
    for key, value in entry.items():
        if key != shape.topic.time and (shape.wanted is None or key in shape.wanted):
            yield encodable(key), value
