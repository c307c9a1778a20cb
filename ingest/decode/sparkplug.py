"""Points of Sparkplug B to readings, by the ``sparkplug`` table of a stream."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ingest.decode.long_rows import LongRows, together
from ingest.decode.rows import Decoded
from ingest.decode.topic import filled
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.plant_mqtt import Mqtt, Sparkplug

_CONTROL = ("bdSeq", "Node Control/", "Device Control/", "Properties/", "Node Info/", "Device Info/")
_UNREADABLE = "nothing of it can be read again; it is for people to look at"


class Point(NamedTuple):
    """A metric's value at a time, by the names of those who sent it.

    Attributes
    ----------
    message : number of the message that it came with
    device : empty for a metric of the node itself
    time : milliseconds since 1970
    """

    message: int
    group: str
    node: str
    device: str
    metric: str
    time: int
    value: float | str | None


class PointDecoder:
    """Decodes points of one stream to readings."""

    def __init__(self, stream: Mqtt, plant: Plant) -> None:
        self._config = stream.sparkplug or Sparkplug()
        given = {"signals": self._config.signals, "units": self._config.units}
        self._rows = LongRows(plant, {**given, "time_format": "ms"})
        names = self._config.signals
        wanted = None if names is None else set(names.values())
        self._metrics = {
            machine.name: wanted or {signal.name for signal in plant.class_of(machine.name).signals}
            for machine in plant.machines
        }
        self._wanted = wanted

    def machine(self, group: str, node: str, device: str) -> str:
        """Return the machine of a device, or of a node if ``device`` is empty."""
        pattern = self._config.machine if device else self._config.node_machine
        return filled(pattern, {"group": group, "node": node, "device": device})

    def knows(self, machine: str) -> bool:
        """Say whether the plant has this machine."""
        return machine in self._metrics

    def decode(self, points: Sequence[Point], now: datetime) -> Decoded:
        """Decode points; those of metrics that no signal is named after are passed over."""
        machines: dict[tuple[str, str, str], str] = {}
        for each in points:
            sender = each.group, each.node, each.device
            machine = machines.get(sender) or machines.setdefault(sender, self.machine(*sender))
            if self._is_meant(each, machine):
                self._rows.add(each.message, machine, each.time, each.metric, each.value)
        return together(self._rows.decode(now))

    def _is_meant(self, point: Point, machine: str) -> bool:
        known = self._metrics.get(machine)
        if known is not None:
            return point.metric in known
        # The class of an unknown machine is unknown: all that may be a reading waits as a letter.
        asked = self._wanted is None or point.metric in self._wanted
        return bool(point.device) and asked and not point.metric.startswith(_CONTROL)


def written(points: Sequence[Point]) -> bytes:
    """Return points as the body of a dead letter."""
    return json.dumps([[*each[1:]] for each in points]).encode()


def decode_sparkplug(body: bytes, head: Mapping[str, str], plant: Plant, *, now: datetime) -> Decoded:
    """Decode the points of a dead letter, as the plant file stands now.

    Raises
    ------
    SourceError
        When the plant file does not listen to Sparkplug any more, or the letter holds no points.
    """
    stream = next((each for each in plant.mqtt if each.name == head["stream"]), None)
    if stream is None or stream.sparkplug is None:
        raise SourceError(f"the plant has no [[mqtt]] stream {head['stream']!r} with sparkplug any more")
    try:
        rows: list[list[Any]] = json.loads(body)
        points = [Point(0, *each) for each in rows]
    except (ValueError, TypeError, RecursionError) as error:
        raise SourceError(_UNREADABLE) from error
    if not all(isinstance(text, str) for each in points for text in each[1:5]):
        raise SourceError(_UNREADABLE)
    return PointDecoder(stream, plant).decode(points, now)
