"""The host's side of Sparkplug B: which metric an alias means, what was missed, and who is offline.

An edge node numbers its messages. When one is missing, or a metric comes whose birth was not seen, the node
is asked to say again all that it has; until then what can be understood is kept. What was missed while we were
away from the broker may have been births, too: until the next one an alias means nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingest.dead_letter import DeadLetter
from ingest.decode.mqtt import Message
from ingest.decode.sparkplug import Point, PointDecoder, written
from ingest.decode.sparkplug_payload import Metric, Payload, read_payload, rebirth_command, signed
from ingest.errors import SourceError
from ingest.event import Event
from ingest.plant import Plant
from ingest.plant_mqtt import Mqtt
from ingest.reading import Readings
from ingest.turned_away import TurnedAway

NAMESPACE = "spBv1.0"
OFFLINE = "offline"
_KINDS = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
MOST_NODES = 10_000
"""Edge nodes that are remembered: whoever may publish can make up any number of them."""
_ASK_AGAIN_AFTER = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Node:
    """What is known of an edge node.

    Attributes
    ----------
    names : of each device, the name of each metric by alias
    kinds : of each device, the data type of each metric by name
    session : number of its session, which its death names, too
    sequence : number of its newest message; ``None`` before its birth
    devices : devices that are born
    asked : when it was asked for a rebirth, in microseconds since 1970
    unheard : whether we were away from the broker since its newest message
    """

    names: dict[str, dict[int, str]] = field(default_factory=dict)
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    session: float | str | None = None
    sequence: int | None = None
    devices: set[str] = field(default_factory=set)
    asked: int = -(2**62)
    unheard: bool = False


@dataclass(slots=True)
class Heard:
    """What some messages gave.

    Attributes
    ----------
    commands : (topic, payload) to send
    notes : what must be noted in the same transaction
    """

    readings: list[Readings] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    commands: list[tuple[str, bytes]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    turned_away: TurnedAway = field(default_factory=TurnedAway)


class SparkplugHost:
    """Listens to the edge nodes of one stream.

    Parameters
    ----------
    notes : what was noted of the stream before
    """

    def __init__(self, stream: Mqtt, plant: Plant, notes: Mapping[str, str]) -> None:
        self._stream = stream.name
        self._points = PointDecoder(stream, plant)
        self._nodes: dict[tuple[str, str], _Node] = {}
        self._offline: set[str] = set(json.loads(notes.get(OFFLINE, "[]")))

    def connected(self) -> None:
        """Remember that the connection is a new one: births may have been sent that nobody heard."""
        for each in self._nodes.values():
            each.unheard = True

    def hear(self, messages: Sequence[Message], now: datetime) -> Heard:
        """Take messages in the order of their arrival."""
        heard = Heard()
        before = set(self._offline)
        points: list[Point] = []
        for number, message in enumerate(messages):
            try:
                points += self._take(number, message, heard)
            except SourceError as error:
                heard.letters.append(self._letter(message, message.payload, str(error)))
        decoded = self._points.decode(points, now)
        heard.readings, heard.turned_away = decoded.readings, decoded.turned_away
        reasons: dict[int, str] = {}
        for each in decoded.rejections:
            reasons.setdefault(each.line - 1, f"{each.column}: {each.reason}")
        for number, reason in reasons.items():
            body = written([each for each in points if each.message == number])
            heard.letters.append(self._letter(messages[number], body, reason))
        if self._offline != before:
            heard.notes[OFFLINE] = json.dumps(sorted(self._offline))
        return heard

    def _take(self, number: int, message: Message, heard: Heard) -> list[Point]:
        levels = message.topic.decode("utf-8", "replace").split("/")
        if len(levels) not in (4, 5) or levels[2] not in _KINDS:
            return []
        _, group, kind, name = levels[:4]
        device = levels[4] if len(levels) == 5 else ""
        payload = read_payload(message.payload)
        node = self._node(group, name)
        if kind == "NDEATH":
            self._die(node, group, name, payload, message, heard)
            return []
        if kind == "NBIRTH":
            session = next((each.value for each in payload.metrics if each.name == "bdSeq"), None)
            node.names, node.kinds, node.devices, node.session = {}, {}, set(), session
            node.asked = -(2**62)
        elif node.sequence is None or payload.sequence != (node.sequence + 1) % 256:
            if node.unheard:
                node.names, node.kinds, node.sequence = {}, {}, None
            self._ask(node, group, name, message, heard)
        elif kind == "DDATA" and device not in node.devices:
            self._ask(node, group, name, message, heard)
        node.unheard = False
        if node.sequence is not None or kind == "NBIRTH":
            node.sequence = payload.sequence
        if kind == "DDEATH":
            node.devices.discard(device)
            self._lost(self._points.machine(group, name, device), "DDEATH", message, heard)
            return []
        if kind in ("NBIRTH", "DBIRTH"):
            self._born(node, device, payload.metrics)
            self._found(self._points.machine(group, name, device), kind, message, heard)
        return self._read(number, message, (group, name, device), node, payload.metrics, heard)

    def _node(self, group: str, name: str) -> _Node:
        """Return what is known of a node; the one that was heard first is forgotten when there are too many."""
        if (group, name) not in self._nodes and len(self._nodes) >= MOST_NODES:
            del self._nodes[next(iter(self._nodes))]
        return self._nodes.setdefault((group, name), _Node())

    def _read(
        self,
        number: int,
        message: Message,
        sender: tuple[str, str, str],
        node: _Node,
        metrics: Sequence[Metric],
        heard: Heard,
    ) -> list[Point]:
        group, name, device = sender
        points: list[Point] = []
        unknown: set[int] = set()
        names, kinds = node.names.get(device, {}), node.kinds.get(device, {})
        for each in metrics:
            metric = each.name or names.get(-1 if each.alias is None else each.alias, "")
            if not metric:
                unknown.add(-1 if each.alias is None else each.alias)
                continue
            value = signed(each.value, each.kind or kinds.get(metric, 0))
            time = message.arrived // 1000 if each.time is None else each.time
            points.append(Point(number, group, name, device, metric, time, value))
        if unknown:
            self._ask(node, group, name, message, heard)
            reason = f"no birth named the aliases {sorted(unknown)[:10]}; {group}/{name} was asked for a rebirth"
            heard.letters.append(self._letter(message, message.payload, reason))
        return points

    def _born(self, node: _Node, device: str, metrics: Sequence[Metric]) -> None:
        if device:
            node.devices.add(device)
        # A birth names all metrics that there are: an alias of the one before may mean another by now.
        node.kinds[device] = {each.name: each.kind for each in metrics}
        node.names[device] = {each.alias: each.name for each in metrics if each.alias is not None}

    def _die(self, node: _Node, group: str, name: str, payload: Payload, message: Message, heard: Heard) -> None:
        session = next((each.value for each in payload.metrics if each.name == "bdSeq"), None)
        if node.session is not None and session is not None and session != node.session:
            return  # the will of a session before this one
        for device in ("", *sorted(node.devices)):
            self._lost(self._points.machine(group, name, device), "NDEATH", message, heard)
        self._nodes[group, name] = _Node()

    def _lost(self, machine: str, kind: str, message: Message, heard: Heard) -> None:
        if self._points.knows(machine) and machine not in self._offline:
            self._offline.add(machine)
            heard.events.append(_state(machine, "offline", kind, message))

    def _found(self, machine: str, kind: str, message: Message, heard: Heard) -> None:
        if machine in self._offline:
            self._offline.discard(machine)
            heard.events.append(_state(machine, "online", kind, message))

    def _ask(self, node: _Node, group: str, name: str, message: Message, heard: Heard) -> None:
        if message.arrived - node.asked >= _ASK_AGAIN_AFTER:
            node.asked = message.arrived
            heard.commands.append((f"{NAMESPACE}/{group}/NCMD/{name}", rebirth_command(message.arrived // 1000)))

    def _letter(self, message: Message, body: bytes, reason: str) -> DeadLetter:
        topic = message.topic.decode("utf-8", "replace")
        head = {"stream": self._stream, "topic": topic}
        arrived = _EPOCH + timedelta(microseconds=message.arrived)
        return DeadLetter(kind="sparkplug", body=body, reason=reason, arrived=arrived, head=head)


def _state(machine: str, code: str, kind: str, message: Message) -> Event:
    time = _EPOCH + timedelta(microseconds=message.arrived)
    return Event(machine=machine, kind="state", time=time, code=code, note=f"Sparkplug {kind}")
