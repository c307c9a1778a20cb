"""How a dead letter is read again: one decoder for each kind of letter."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from ingest.dead_letter import DeadLetter
from ingest.decode.arrow import decode_arrow
from ingest.decode.csv import decode_csv
from ingest.decode.json import decode_json
from ingest.decode.kafka import decode_kafka
from ingest.decode.line_protocol import decode_line_protocol
from ingest.decode.mqtt import decode_mqtt
from ingest.decode.opcua import decode_opcua
from ingest.decode.rows import Decoded
from ingest.decode.sparkplug import decode_sparkplug
from ingest.errors import SourceError
from ingest.plant import Plant

Decoder = Callable[[bytes, Mapping[str, str], Plant, datetime], Decoded]
"""(body, head, plant, time of arrival) to what they give; raises ``SourceError``."""

WITHIN = "within"
"""In the head of a letter: the only machines that its sender may tell of, as a JSON list; all when it is missing."""

DECODERS: dict[str, Decoder] = {
    "json": lambda body, _, plant, now: decode_json(body, plant, now=now),
    "csv": lambda body, _, plant, now: decode_csv(body, plant, now=now),
    "line_protocol": lambda body, head, plant, now: decode_line_protocol(
        body, plant, now=now, precision=head.get("precision", "ns")
    ),
    "arrow": lambda body, _, plant, now: decode_arrow(body, plant, now=now),
    "mqtt": lambda body, head, plant, now: decode_mqtt(body, head, plant, now=now),
    "kafka": lambda body, head, plant, now: decode_kafka(body, head, plant, now=now),
    "opcua": lambda body, head, plant, now: decode_opcua(body, head, plant, now=now),
    "sparkplug": lambda body, head, plant, now: decode_sparkplug(body, head, plant, now=now),
}


def decode_again(letter: DeadLetter, plant: Plant) -> Decoded:
    """Read a letter as the plant file stands now; the readings arrived when the letter did.

    Raises
    ------
    SourceError
        When nothing of it can be understood, or nothing knows letters of its kind.
    """
    plant = _within(letter, plant)
    decoder = DECODERS.get(letter.kind)
    if decoder is None:
        raise SourceError(f"letters of kind {letter.kind!r} are for people to look at; drop it when it is settled")
    return decoder(letter.body, letter.head, plant, letter.arrived)


def _within(letter: DeadLetter, plant: Plant) -> Plant:
    if WITHIN not in letter.head:
        return plant
    try:
        machines = json.loads(letter.head[WITHIN])
    except ValueError:
        machines = None
    if not isinstance(machines, list):
        raise SourceError(f"its {WITHIN!r} is {letter.head[WITHIN][:100]!r}, which names no machines; drop it")
    return plant.only([str(each) for each in machines])
