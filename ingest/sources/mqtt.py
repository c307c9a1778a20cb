"""MQTT: what was acknowledged is durable, and what is durable is neither lost nor doubled.

Messages are gathered for a moment and handed over together; only when they are durable are they
acknowledged. One delivery is under way at a time: what comes meanwhile makes the next one, and the broker
stops by itself when as much is unacknowledged as was agreed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic

from ingest.catalogue import from_microseconds, to_microseconds
from ingest.decode.mqtt import Message
from ingest.decode.sparkplug_payload import require_protobuf
from ingest.decode.topic import Template, covers
from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError, SourceError
from ingest.event import events_table
from ingest.intake import Inlet
from ingest.plant import Plant
from ingest.plant_mqtt import Mqtt
from ingest.sources.credentials import credentials
from ingest.sources.mqtt_connection import KEEP_ALIVE_SECONDS, Connection, Incoming, where
from ingest.sources.mqtt_hearing import Hearing
from ingest.sources.mqtt_window import Window, checksum
from ingest.sources.sparkplug_host import NAMESPACE
from ingest.sources.stream import Standing, StreamState, known_as
from ingest.sources.turn import Turn

UNACKNOWLEDGED = 4_000
"""Messages that may be unacknowledged at a time (MQTT 5)."""
REMEMBERED = 6 * UNACKNOWLEDGED
"""Durable messages that are known when they come again: Mosquitto sends more than agreed once a session was resumed."""
AT_ONCE = {5: UNACKNOWLEDGED // 2, 4: 20}
"""So many messages are handed over without waiting for more; MQTT 3.1.1 cannot agree how many may come."""
GATHER_SECONDS = 0.02
IDLE_SECONDS = 0.25
MOST_BYTES = 8 << 20
CLOCK_PUT_BACK = 10_000_000
"""Microseconds: messages are stamped one after the other, and only so far ahead of the clock."""
_SUBSCRIPTIONS = "subscriptions"


class MqttStream:
    """Listens to one broker, as a ``Stream``.

    Parameters
    ----------
    clock : returns the present moment, aware
    environment : holds user and password, if the plant file names variables
    keep_alive : seconds of silence after which the broker is asked whether it is still there
    turn : held while it listens, so that two processes never share a session; none when left out
    """

    def __init__(
        self,
        stream: Mqtt,
        plant: Plant,
        *,
        clock: Callable[[], datetime],
        environment: Mapping[str, str],
        keep_alive: int = KEEP_ALIVE_SECONDS,
        turn: Turn | None = None,
    ) -> None:
        self.name = stream.name
        self.filters = _filters(stream)
        self.window = Window.of({}, REMEMBERED)
        self._config, self._plant, self._clock, self._environment = stream, plant, clock, environment
        self._keep_alive = keep_alive
        self._turn = turn
        self.hearing = Hearing(stream, plant, {})
        self.standing = Standing(clock)
        self._fresh = True
        self._newest = 0

    @property
    def state(self) -> StreamState:
        """How it is; see ``Stream``."""
        return self.standing.state

    def run(self, inlet: Inlet, stop: Event) -> None:
        """Listen until told to stop; see ``Stream``."""
        try:
            if self._turn is not None:
                # Kept when the connection is lost, so that nobody else writes what our memory does not know.
                self._turn.take()
            self._prepare(inlet)
            user, password = credentials(self._config, self._environment)
            client_id = self._config.client_id or known_as(self._plant.name, self.name)
            with Connection(self._config, self._plant.folder, client_id, user, password) as connection:
                had_session = connection.begin(UNACKNOWLEDGED, self._keep_alive)
                _Conversation(self, connection, inlet).hold(stop, had_session=had_session)
        except SourceError as error:
            why = f"{where(self._config)}: {error}"
            self.standing.say(connected=False, why=why)
            raise SourceError(why) from error
        except Exception as error:
            self._fresh = True
            self.standing.say(connected=False, why=str(error))
            raise
        finally:
            if self._turn is not None and stop.is_set():
                self._turn.give_back()
                self._fresh = True
        self.standing.say(connected=False, why="stopped")

    def _prepare(self, inlet: Inlet) -> None:
        """Read what was noted, where memory does not say the same: at first, and when something was not kept."""
        if not self._fresh:
            return
        if self._config.sparkplug is not None:
            require_protobuf()
        notes = inlet.notes(self.name)
        self.window = Window.of(notes, REMEMBERED)
        self.hearing = Hearing(self._config, self._plant, notes)
        self._fresh = False

    def stamps(self, count: int) -> range:
        """Return a time of arrival for each of some messages, in microseconds since 1970, no two the same."""
        now = to_microseconds(self._clock())
        # A clock that was put back is believed; a smaller step would only give two messages the same time.
        first = max(now, self._newest + 1) if self._newest - now < CLOCK_PUT_BACK else now
        self._newest = first + count - 1
        return range(first, first + count)


class _Conversation:
    """One connection of a stream, from the first packet to the last."""

    def __init__(self, stream: MqttStream, connection: Connection, inlet: Inlet) -> None:
        self._stream, self._connection, self._inlet = stream, connection, inlet
        self._waiting: list[Incoming] = []
        self._stamps: list[int] = []
        self._bytes = 0
        self._since = 0.0
        self._made: _Made | None = None
        self._under_way: tuple[_Made, Future[Receipt]] | None = None

    def hold(self, stop: Event, *, had_session: bool) -> None:
        """Take messages until told to stop, or the connection is lost; what was taken is settled."""
        self._begin(had_session=had_session)
        try:
            while not stop.is_set():
                self._gather()
                self._settle()
                self._hand_over()
        except SourceError:
            self._finish(connected=False)
            raise
        self._finish(connected=True)
        self._connection.leave()

    def _begin(self, *, had_session: bool) -> None:
        stream, connection = self._stream, self._connection
        stream.hearing.connected()
        notes = self._inlet.notes(stream.name)
        known: list[str] = json.loads(notes.get(_SUBSCRIPTIONS) or "[]") if had_session else []
        changed: dict[str, str] = {}
        if not had_session:
            # Nothing of a session that is gone will come again: its numbers mean other messages from now on.
            stream.window, changed = stream.window.cleared()
        if known != stream.filters:
            changed[_SUBSCRIPTIONS] = json.dumps(stream.filters)
        if changed:
            self._inlet.put(Delivery(source=stream.name, notes=changed), wait=1.0).result()
        gone = [each for each in known if each not in stream.filters]
        if gone:
            connection.unsubscribe(gone)
        connection.subscribe(stream.filters)

    def _gather(self) -> None:
        if self._bytes >= MOST_BYTES or len(self._waiting) >= UNACKNOWLEDGED:
            self._connection.idle(GATHER_SECONDS)
            return
        came = self._connection.read(GATHER_SECONDS if self._waiting else IDLE_SECONDS)
        for codes in self._connection.answers():
            self._subscribed(codes)
        if came:
            if not self._waiting:
                self._since = monotonic()
            self._waiting += came
            self._stamps += self._stream.stamps(len(came))
            self._bytes += sum([len(each.payload) + len(each.topic) for each in came])

    def _subscribed(self, codes: Sequence[int]) -> None:
        refused = [name for name, code in zip(self._stream.filters, codes, strict=False) if code >= 128]
        if refused:
            raise SourceError(f"the broker refuses to send {', '.join(refused)}; is this client allowed to read it?")
        self._stream.standing.say(connected=True)

    def _settle(self) -> None:
        """Acknowledge what has become durable."""
        if self._under_way is not None and self._under_way[1].done():
            made, future = self._under_way
            self._under_way = None
            future.result()
            self._remember(made)
            self._connection.acknowledge(made.packets)
            for topic, payload in made.commands:
                self._connection.publish(topic, payload)

    def _hand_over(self) -> None:
        """Hand over what waits, if it is enough or has waited for long enough, and nothing else is under way."""
        if self._under_way is not None:
            return
        if self._made is None:
            enough = len(self._waiting) >= AT_ONCE[self._connection.version] or self._bytes >= MOST_BYTES // 2
            if not self._waiting or not (enough or monotonic() - self._since >= GATHER_SECONDS):
                return
            self._made = self._make()
        try:
            future = self._inlet.put(self._made.delivery)
        except IntakeFullError:
            self._connection.idle(GATHER_SECONDS)
            return
        self._under_way, self._made = (self._made, future), None
        future.add_done_callback(lambda _: self._connection.ring())

    def _finish(self, *, connected: bool) -> None:
        """Make durable what came; what cannot be acknowledged any more is known when it comes again."""
        while self._under_way is not None or self._made is not None or self._waiting:
            if self._under_way is None:
                made, self._made = self._made or self._make(), None
                self._under_way = made, self._inlet.put(made.delivery, wait=1.0)
            made, future = self._under_way
            future.result()
            self._under_way = None
            self._remember(made)
            if connected:
                self._connection.acknowledge(made.packets)

    def _remember(self, made: "_Made") -> None:
        self._stream.window = made.window
        self._stream.standing.count(**made.counts)

    def _make(self) -> "_Made":
        """Make a delivery of all that waits, without what is durable already."""
        came, stamps = self._waiting, self._stamps
        self._waiting, self._stamps, self._bytes = [], [], 0
        window = self._stream.window
        digests = [checksum(each.topic, each.payload) for each in came]
        again = {
            each.packet
            for each, digest in zip(came, digests, strict=True)
            if each.again and window.knows(each.packet, digest)
        }
        rows = [row for row in zip(came, digests, stamps, strict=True) if row[0].packet not in again]
        numbered = [(each.packet, digest) for each, digest, _ in rows if each.packet]
        after, notes = window.after([number for number, _ in numbered], [digest for _, digest in numbered])
        messages = [Message(each.topic, each.payload, stamp, each.retained) for each, _, stamp in rows]
        heard = self._stream.hearing.hear(messages, from_microseconds(stamps[-1]))
        delivery = Delivery(
            source=self._stream.name,
            readings=tuple(heard.readings),
            events=events_table(heard.events) if heard.events else None,
            notes=notes | heard.notes,
            dead_letters=tuple(heard.letters),
            turned_away=heard.turned_away,
        )
        counts = {"received": len(came), "kept": len(rows), "repeated": len(again), "letters": len(heard.letters)}
        return _Made(delivery, [each.packet for each in came if each.packet], after, heard.commands, counts)


@dataclass(frozen=True, slots=True)
class _Made:
    """A delivery, and what is to be done when it is durable."""

    delivery: Delivery
    packets: Sequence[int]
    window: Window
    commands: Sequence[tuple[str, bytes]]
    counts: Mapping[str, int]


def _filters(stream: Mqtt) -> list[str]:
    filters = [Template(each.template).filter for each in stream.topics]
    if stream.sparkplug is not None:
        filters += [f"{NAMESPACE}/{group}/#" for group in stream.sparkplug.groups or ["+"]]
    distinct = list(dict.fromkeys(filters))
    # A broker may send a message once for each subscription that it fits.
    return [each for each in distinct if not any(covers(other, each) for other in distinct if other != each)]
