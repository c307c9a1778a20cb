"""What the messages of a stream say: readings, events, and letters for what is not understood."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.catalogue import from_microseconds
from ingest.dead_letter import DeadLetter
from ingest.decode.mqtt import Message, MessageDecoder
from ingest.plant import Plant
from ingest.plant_mqtt import Mqtt
from ingest.sources.sparkplug_host import NAMESPACE, Heard, SparkplugHost
from ingest.sources.understanding import understand

_SPARKPLUG = f"{NAMESPACE}/".encode()


class Hearing:
    """Hears the messages of one stream.

    Parameters
    ----------
    notes : what was noted of the stream before
    """

    def __init__(self, stream: Mqtt, plant: Plant, notes: Mapping[str, str]) -> None:
        self.decoder = MessageDecoder(stream, plant)
        self._name = stream.name
        self._host = None if stream.sparkplug is None else SparkplugHost(stream, plant, notes)

    def connected(self) -> None:
        """Remember that the connection is a new one."""
        if self._host is not None:
            self._host.connected()

    def hear(self, messages: Sequence[Message], now: datetime) -> Heard:
        """Return what messages say, in the order of their arrival."""
        if self._host is None:
            return self._plain(messages, now)
        plain = self._plain([each for each in messages if not each.topic.startswith(_SPARKPLUG)], now)
        heard = self._host.hear([each for each in messages if each.topic.startswith(_SPARKPLUG)], now)
        heard.readings += plain.readings
        heard.letters += plain.letters
        heard.turned_away += plain.turned_away
        return heard

    def _plain(self, messages: Sequence[Message], now: datetime) -> Heard:
        understood = understand(messages, now, self.decoder.decode, self._letter)
        return Heard(readings=understood.readings, letters=understood.letters, turned_away=understood.turned_away)

    def _letter(self, message: Message, reason: str) -> DeadLetter:
        head = {"stream": self._name, "topic": message.topic.decode("utf-8", "replace")}
        arrived = from_microseconds(message.arrived)
        return DeadLetter(kind="mqtt", body=message.payload, reason=reason, arrived=arrived, head=head)
