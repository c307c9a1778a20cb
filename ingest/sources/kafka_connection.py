"""A member of a Kafka consumer group, driven by one thread."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Protocol, Self

from ingest.decode.kafka import Message
from ingest.errors import SourceError
from ingest.plant_kafka import Kafka
from ingest.sources.kafka_position import Partition

WAIT_SECONDS = 10.0
SESSION_SECONDS = 10.0
"""So long after a member was killed its partitions go to others."""
MOST_AT_ONCE = 10_000
_PREFETCHED_KILOBYTES = 16_384
_TOPICS_AGAIN_SECONDS = 60.0
_REASONS = 10


class Member(Protocol):
    """Who is told which partitions are its own; called from within ``Connection.read``."""

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Return the offset to read on from of each new partition."""

    def revoked(self, *, lost: bool) -> None:
        """Settle what is under way: all partitions are about to go, or are ``lost`` to others already."""


class Connection:
    """A connection to a cluster; the group is joined with ``join``.

    Raises
    ------
    SourceError
        When no broker answers, it refuses, or the connection is lost; this may come from every method.
    """

    def __init__(
        self, stream: Kafka, folder: Path, group: str, user: str | None = None, password: str | None = None
    ) -> None:
        require_confluent()
        from confluent_kafka import Consumer, KafkaException

        self._stream = stream
        self._own: set[Partition] = set()
        self._turn = 0
        self._paused = self._down = self._left = False
        self._why = ""
        self._failed: Exception | None = None
        try:
            self._consumer: Any = Consumer(
                {**settings(stream, folder, group, user, password), "error_cb": self._on_error}
            )
        except KafkaException as error:
            trusted = f"; ca_file is {folder / stream.ca_file}" if stream.ca_file else ""
            raise SourceError(f"{error.args[0].str()}{trusted}") from error

    def join(self, member: Member) -> list[str]:
        """Join the group, and return the topics that the cluster does not have."""
        missing = [each.topic for each in self._stream.topics if not self._has(each.topic)]
        if len(missing) == len(self._stream.topics):
            raise SourceError(f"the cluster has no topic {', '.join(map(repr, missing))}; create it, or mend its name")
        self._consumer.subscribe(
            [each.topic for each in self._stream.topics],
            on_assign=lambda _, partitions: self._guarded(lambda: self._assign(member, partitions)),
            on_revoke=lambda _, __: self._guarded(lambda: self._revoke(member, lost=False)),
            on_lost=lambda _, __: self._guarded(lambda: self._revoke(member, lost=True)),
        )
        return missing

    def read(self, wait: float) -> list[Message]:
        """Return the messages that are there within ``wait`` seconds."""
        first = self._consumer.poll(wait)
        came = [] if first is None else [first]
        if came:
            turn = self._turn
            more = self._consumer.consume(MOST_AT_ONCE, 0)
            # If partitions went in between, the first message is left for whoever reads on.
            came = [*came, *more] if self._turn == turn else more
        if self._failed is not None:
            raise self._failed
        if self._down:
            self._down = False
            self._has(self._stream.topics[0].topic)
        return [_message(each) for each in came if each.error() is None or self._passes(each)]

    def held(self, partition: Partition) -> tuple[int, int]:
        """Return the offsets of the first message of a partition, and of the one that comes next."""
        return self._answer(lambda: self._consumer.get_watermark_offsets(_position(partition), timeout=WAIT_SECONDS))

    def committed(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where the group reads on, for partitions that it has read."""
        asked = [_position(each) for each in partitions]
        answered = self._answer(lambda: self._consumer.committed(asked, timeout=WAIT_SECONDS))
        return {Partition(each.topic, each.partition): each.offset for each in answered if each.offset >= 0}

    def commit(self, positions: Mapping[Partition, int], *, wait: bool = False) -> None:
        """Tell the group where to read on; our notes decide, so that nothing is at stake if it does not hear."""
        offsets = [_position(each, offset) for each, offset in positions.items() if each in self._own]
        if offsets and wait:
            _for_a_while(lambda: self._commit(offsets, asynchronous=False))
        elif offsets:
            self._commit(offsets, asynchronous=True)

    def pause(self) -> None:
        """Let the cluster wait; the membership is kept with ``read``."""
        if not self._paused:
            self._paused = True
            self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        """Leave the group; the member, which has settled everything, is not asked any more."""
        self._left = True
        _for_a_while(self._consumer.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _assign(self, member: Member, partitions: Sequence[Any]) -> None:
        offsets = member.assigned([Partition(each.topic, each.partition) for each in partitions])
        self._own = set(offsets)
        self._consumer.assign([_position(each, offset) for each, offset in offsets.items()])
        if self._paused:
            self._consumer.pause(self._consumer.assignment())
        self.commit(offsets)

    def _revoke(self, member: Member, *, lost: bool) -> None:
        self._turn += 1
        if lost:
            self._own = set()
        if not self._left:
            member.revoked(lost=lost)
        self._own = set()
        self._consumer.unassign()

    def _commit(self, offsets: Sequence[Any], *, asynchronous: bool) -> None:
        from confluent_kafka import KafkaException

        try:
            self._consumer.commit(offsets=offsets, asynchronous=asynchronous)
        except KafkaException as error:
            self._why = error.args[0].str()

    def _guarded(self, do: Callable[[], None]) -> None:
        """Keep an error for ``read`` to raise: librdkafka, which calls, knows nothing of ours."""
        try:
            do()
        except Exception as error:
            self._failed = error

    def _has(self, topic: str) -> bool:
        found = self._answer(lambda: self._consumer.list_topics(topic, timeout=WAIT_SECONDS)).topics[topic]
        if found.error is None:
            return True
        if found.error.name() not in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC"):
            raise SourceError(f"topic {topic!r}: {found.error.str()}")
        return False

    def _answer(self, ask: Callable[[], Any]) -> Any:
        from confluent_kafka import KafkaException

        try:
            return ask()
        except KafkaException as error:
            self._listen_for_reason()
            if self._failed is not None:
                raise self._failed from error
            raise SourceError(f"no broker answers ({self._why or error.args[0].str()})") from error

    def _listen_for_reason(self) -> None:
        """Let librdkafka say why nobody answers; each call brings one of the things that it has to say."""
        for _ in range(_REASONS):
            if self._why or self._failed is not None:
                return
            self._consumer.poll(0.05)

    def _on_error(self, error: Any) -> None:
        if error.name() == "_ALL_BROKERS_DOWN":
            self._down = True
        else:
            self._why = error.str()
        if error.fatal() or error.name() == "_AUTHENTICATION":
            self._failed = SourceError(f"the broker refuses: {error.str()}")

    def _passes(self, message: Any) -> bool:
        """Pass over an error that settles itself; raise any other."""
        error = message.error()
        if error.name() not in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC") and not error.retriable():
            topic = f"topic {message.topic()!r}: " if message.topic() else ""
            raise SourceError(f"{topic}{error.str()}")
        return False


def settings(stream: Kafka, folder: Path, group: str, user: str | None, password: str | None) -> dict[str, Any]:
    """Return what librdkafka is told."""
    secured = {(False, False): "PLAINTEXT", (True, False): "SSL", (False, True): "SASL_PLAINTEXT"}
    told: dict[str, Any] = {
        "bootstrap.servers": ",".join(stream.servers),
        "group.id": group,
        "client.id": "andon",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
        "session.timeout.ms": int(SESSION_SECONDS * 1_000),
        "heartbeat.interval.ms": int(SESSION_SECONDS * 300),
        "socket.timeout.ms": int(WAIT_SECONDS * 1_000),
        "topic.metadata.refresh.interval.ms": int(_TOPICS_AGAIN_SECONDS * 1_000),
        "queued.max.messages.kbytes": _PREFETCHED_KILOBYTES,
        "log_level": 0,
        "security.protocol": secured.get((stream.tls, user is not None), "SASL_SSL"),
    }
    if stream.ca_file:
        told["ssl.ca.location"] = str(folder / stream.ca_file)
    if user is not None:
        told |= {"sasl.mechanism": stream.sasl.upper(), "sasl.username": user, "sasl.password": password or ""}
    return told


def _for_a_while(do: Callable[[], None]) -> None:
    """Do something that a cluster takes part in, and leave it behind if that takes too long.

    librdkafka looks without end for who would take a commit, and closing waits for it; see
    https://github.com/confluentinc/librdkafka/issues/3740. What is left behind ends when the cluster is back.
    """
    doing = Thread(target=do, name="kafka", daemon=True)
    doing.start()
    doing.join(WAIT_SECONDS)


def require_confluent() -> None:
    """Raise ``SourceError`` if ``confluent-kafka`` is not installed."""
    try:
        import confluent_kafka  # noqa: F401
    except ImportError as error:
        raise SourceError("Kafka needs a package that is not installed; run: pip install 'andon[kafka]'") from error


def _message(message: Any) -> Message:
    kind, time = message.timestamp()
    return Message(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=message.key() or b"",
        body=message.value(),
        time=time * 1_000 if kind else None,
    )


def _position(partition: Partition, offset: int = -1001) -> Any:
    from confluent_kafka import TopicPartition

    return TopicPartition(partition.topic, partition.number, offset)
