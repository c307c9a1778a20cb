"""Values of OPC UA nodes to readings; what is of no good quality, or no number, is turned away with the reason."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ingest.decode.long_rows import LongRows, together
from ingest.decode.rows import Decoded
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.plant_opcua import Opcua, node_ids
from ingest.reading import DAY
from ingest.report import Rejection
from ingest.turned_away import Cell, TurnedAway

_SEVERITY = 30
_GOOD, _UNCERTAIN = 0, 1
_CODE = 0xFFFF0000
"""The part of a status that has a name; the rest are flags."""


class Point(NamedTuple):
    """A value of a node at a time.

    Attributes
    ----------
    node : its id, as the plant file has it
    time : microseconds since 1970
    value : a number; text stands for what is none, ``None`` for nothing
    status : as the server said it; 0 is good
    """

    node: str
    time: int
    value: float | str | None
    status: int


def owners_of(stream: Opcua, plant: Plant) -> dict[str, tuple[str, str]]:
    """Return machine and signal of each node that a stream reads."""
    signals = {each.name: [signal.name for signal in each.signals] for each in plant.classes}
    return {
        node: (machine, signal)
        for nodes in stream.nodes
        for node, machine, signal in node_ids(nodes, plant.machines, signals)
    }


class PointDecoder:
    """Decodes the points of one stream."""

    def __init__(self, stream: Opcua, plant: Plant) -> None:
        self.owners = owners_of(stream, plant)
        self._name = stream.name
        self._keeps = (_GOOD, _UNCERTAIN) if stream.uncertain == "keep" else (_GOOD,)
        self._rows = LongRows(plant, {}, stamped=True)

    def decode(self, points: Sequence[Point], now: datetime) -> Decoded:
        """Decode points.

        Returns
        -------
        Decoded
            Lines in its rejections are the numbers of the points, counted from 1.
        """
        bad: list[Rejection] = []
        turned_away = TurnedAway()
        for number, point in enumerate(points):
            reason = self._why_not(point)
            if reason:
                bad.append(Rejection(number + 1, point.node, str(point.value), reason))
                if point.node in self.owners:
                    turned_away[Cell(*self.owners[point.node], point.time // DAY, "no number")] += 1
            else:
                machine, signal = self.owners[point.node]
                self._rows.add(number, machine, point.time, signal, float(point.value or 0))
        decoded = together(self._rows.decode(now))
        return Decoded(
            readings=decoded.readings,
            rejections=[*bad, *decoded.rejections],
            rejected=decoded.rejected + len(bad),
            rows=decoded.rows + len(bad),
            used=decoded.used,
            turned_away=decoded.turned_away + turned_away,
        )

    def _why_not(self, point: Point) -> str:
        """Say why a point is no reading; empty if it is one as far as can be seen here."""
        if point.node not in self.owners:
            return f"stream {self._name!r} has no node {point.node!r} any more"
        if point.status >> _SEVERITY not in self._keeps:
            return f"its quality is {status_name(point.status)}"
        if point.value is None:
            return "it is empty, although its quality is good"
        if isinstance(point.value, str):
            return "it is no number; only numbers can be readings"
        return "it is not a number (NaN), although its quality is good" if math.isnan(point.value) else ""


def status_name(status: int) -> str:
    """Return the name of a status, such as ``BadSensorFailure``; its number where the names are not installed."""
    try:
        from asyncua.ua.status_codes import code_to_name_doc
    except ImportError:
        return f"0x{status:08X}"
    name, _ = code_to_name_doc.get(status & _CODE, (f"0x{status:08X}", ""))
    return str(name)


def written(points: Sequence[Point]) -> bytes:
    """Return points as the body of a dead letter."""
    return json.dumps(points).encode()


def decode_opcua(body: bytes, head: Mapping[str, str], plant: Plant, *, now: datetime) -> Decoded:
    """Decode the points of a dead letter, as the plant file stands now.

    Raises
    ------
    SourceError
        When the plant file has no such stream any more, or the letter holds no points.
    """
    stream = next((each for each in plant.opcua if each.name == head["stream"]), None)
    if stream is None:
        raise SourceError(f"the plant has no [[opcua]] stream {head['stream']!r} any more")
    try:
        rows: list[list[Any]] = json.loads(body)
        points = [Point(*each) for each in rows]
    except (ValueError, TypeError) as error:
        raise SourceError("nothing of it can be read again; it is for people to look at") from error
    return PointDecoder(stream, plant).decode(points, now)
