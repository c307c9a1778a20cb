"""Kafka: a position moves on in the same transaction as the readings before it, and in the group after it.

Messages are gathered for a moment and handed over together. One delivery is under way at a time: what
comes meanwhile makes the next one, and the cluster waits when as much as is agreed has come. What was not
handed over when partitions go to another member is left for that one to read.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic, sleep

from ingest.dead_letter import DeadLetter
from ingest.decode.kafka import Message, MessageDecoder, head_of
from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError, SourceError
from ingest.intake import Inlet
from ingest.plant import Plant
from ingest.plant_kafka import Kafka
from ingest.report import Rejection
from ingest.sources.credentials import credentials
from ingest.sources.kafka_connection import Connection
from ingest.sources.kafka_position import Beginning, Partition, Position, begin
from ingest.sources.stream import Standing, StreamState, known_as
from ingest.sources.understanding import understand

AT_ONCE = 5_000
"""So many messages are handed over without waiting for more."""
MOST_WAITING = 20_000
MOST_BYTES = 16 << 20
GATHER_SECONDS = 0.02
IDLE_SECONDS = 0.25
PATIENCE_SECONDS = 2.0
"""So long the group is left unanswered while there is no room, before partitions are paused."""


class KafkaStream:
    """Reads topics of one cluster, as a ``Stream``.

    Parameters
    ----------
    clock : returns the present moment, aware
    environment : holds user and password, if the plant file names variables
    """

    def __init__(
        self, stream: Kafka, plant: Plant, *, clock: Callable[[], datetime], environment: Mapping[str, str]
    ) -> None:
        self.name = stream.name
        self.config = stream
        self.clock = clock
        self.decoder = MessageDecoder(stream, plant)
        self.standing = Standing(clock)
        self._plant, self._environment = plant, environment

    @property
    def state(self) -> StreamState:
        """How it is; see ``Stream``."""
        return self.standing.state

    def run(self, inlet: Inlet, stop: Event) -> None:
        """Read until told to stop; see ``Stream``."""
        try:
            user, password = credentials(self.config, self._environment)
            group = self.config.group or known_as(self._plant.name, self.name)
            with Connection(self.config, self._plant.folder, group, user, password) as connection:
                _Conversation(self, connection, inlet).hold(stop)
        except SourceError as error:
            why = f"{', '.join(self.config.servers)}: {error}"
            self.standing.say(connected=False, why=why)
            raise SourceError(why) from error
        except Exception as error:
            self.standing.say(connected=False, why=str(error))
            raise
        self.standing.say(connected=False, why="stopped")


class _Conversation:
    """One membership of a stream, from joining the group to leaving it; a ``Member``."""

    def __init__(self, stream: KafkaStream, connection: Connection, inlet: Inlet) -> None:
        self._stream, self._connection, self._inlet = stream, connection, inlet
        self._positions: dict[Partition, Position] = {}
        self._waiting: list[Message] = []
        self._bytes = 0
        self._since = 0.0
        self._made: _Made | None = None
        self._full_since: float | None = None
        self._under_way: tuple[_Made, Future[Receipt]] | None = None

    def hold(self, stop: Event) -> None:
        """Take messages until told to stop; what was handed over is settled."""
        missing = ", ".join(map(repr, self._connection.join(self)))
        self._stream.standing.notice(f"the cluster has no topic {missing} yet" if missing else "")
        try:
            while not stop.is_set():
                self._gather()
                if self._under_way is not None and self._under_way[1].done():
                    self._settle()
                self._hand_over()
        finally:
            self._settle(at_once=True)

    def assigned(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Look up where to read on, and note it; see ``Member``."""
        self._settle()  # if partitions were lost with a delivery under way, its notes count
        notes = self._inlet.notes(self._stream.name)
        noted = {each: Position.of(notes[str(each)]) for each in partitions if str(each) in notes}
        topics = {name.rpartition(" ")[0] for name in notes}
        committed = self._connection.committed(partitions) if partitions else {}
        found: dict[Partition, Beginning] = {}
        for each in partitions:
            # What is added to a topic that was read before is new from its first message on.
            start = "earliest" if each.topic in topics else self._stream.config.start
            known = noted[each].offset if each in noted else None
            found[each] = begin(
                each, self._connection.held(each), noted=known, committed=committed.get(each), start=start
            )
        new = {each: one for each, one in found.items() if each not in noted or one.offset != noted[each].offset}
        self._positions = noted | {each: Position(one.offset) for each, one in new.items()}
        self._note(new)
        self._stream.standing.say(connected=True)
        return {each: one.offset for each, one in found.items()}

    def revoked(self, *, lost: bool) -> None:
        """Settle what was handed over, and leave the rest to others; see ``Member``."""
        self._waiting, self._bytes, self._made, self._full_since = [], 0, None, None
        if not lost:
            self._settle(at_once=True)

    def _note(self, found: Mapping[Partition, Beginning]) -> None:
        notices = [each.notice for each in found.values() if each.notice]
        if found:
            delivery = Delivery(
                source=self._stream.name,
                notes={str(each): self._positions[each].note() for each in found},
                rejections=tuple(Rejection(0, "", "", each) for each in notices),
            )
            self._inlet.put(delivery, wait=1.0).result()
        if notices:
            more = f"; and {len(notices) - 3} more" if len(notices) > 3 else ""
            self._stream.standing.notice("; ".join(notices[:3]) + more)

    def _gather(self) -> None:
        if len(self._waiting) < MOST_WAITING and self._bytes < MOST_BYTES and self._made is None:
            self._full_since = None
            self._connection.resume()
        elif self._full_since is None or monotonic() - self._full_since < PATIENCE_SECONDS:
            self._full_since = self._full_since or monotonic()
            self._rest()
            return
        else:
            self._connection.pause()
        busy = self._waiting or self._under_way is not None or self._made is not None
        came = self._connection.read(GATHER_SECONDS if busy else IDLE_SECONDS)
        if came:
            if not self._waiting:
                self._since = monotonic()
            self._waiting += came
            self._bytes += sum([len(each.body or b"") + len(each.key) for each in came])

    def _rest(self) -> None:
        if self._under_way is None:
            sleep(GATHER_SECONDS)
        else:
            futures.wait([self._under_way[1]], GATHER_SECONDS)

    def _hand_over(self) -> None:
        """Hand over what waits, if it is enough or has waited for long enough, and nothing else is under way."""
        if self._under_way is not None:
            return
        if self._made is None:
            enough = len(self._waiting) >= AT_ONCE or self._bytes >= MOST_BYTES // 2
            if not self._waiting or not (enough or monotonic() - self._since >= GATHER_SECONDS):
                return
            self._made = self._make()
        try:
            future = self._inlet.put(self._made.delivery)
        except IntakeFullError:
            return
        self._under_way, self._made = (self._made, future), None

    def _settle(self, *, at_once: bool = False) -> None:
        """Tell the group what has become durable; returns when it is, and raises if it could not be kept."""
        if self._under_way is None:
            return
        made, future = self._under_way
        self._under_way = None
        future.result()
        self._stream.standing.count(**made.counts)
        self._connection.commit(made.positions, wait=at_once)

    def _make(self) -> "_Made":
        """Make a delivery of all that waits."""
        messages = [self._placed(each) for each in self._waiting]
        self._waiting, self._bytes = [], 0
        now = self._stream.clock()

        def letter(message: Message, reason: str) -> DeadLetter:
            head = head_of(message, self._stream.name)
            return DeadLetter(kind="kafka", body=message.body or b"", reason=reason, arrived=now, head=head)

        understood = understand(messages, now, self._stream.decoder.decode, letter)
        read = {Partition(each.topic, each.partition) for each in messages}
        positions = {each: self._positions[each] for each in read}
        delivery = Delivery(
            source=self._stream.name,
            readings=tuple(understood.readings),
            notes={str(each): position.note() for each, position in positions.items()},
            dead_letters=tuple(understood.letters),
            turned_away=understood.turned_away,
        )
        counts = {"received": len(messages), "kept": len(messages), "letters": len(understood.letters)}
        return _Made(delivery, {each: position.offset for each, position in positions.items()}, counts)

    def _placed(self, message: Message) -> Message:
        """Move the position behind a message, and give the message a time that no other has."""
        partition = Partition(message.topic, message.partition)
        after = self._positions[partition] = self._positions[partition].after(partition, message.offset, message.time)
        return message if message.time is None else message._replace(time=after.newest)


@dataclass(frozen=True, slots=True)
class _Made:
    """A delivery, and what the group is told when it is durable."""

    delivery: Delivery
    positions: Mapping[Partition, int]
    counts: Mapping[str, int]
