"""Where to read on in a partition: after what is durable here, and what other members of the group have read."""

from typing import Literal, NamedTuple, Self

_LANES = 25
"""Divides a millisecond, so that partitions stay apart."""
_TOGETHER = 10_000_000
"""Microseconds."""


class Partition(NamedTuple):
    """A part of a topic, with a position of its own."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"


class Position(NamedTuple):
    """How far a partition has been read.

    Attributes
    ----------
    offset : of the next message
    newest : time of the message before it, in microseconds since 1970; 0 if it is not known
    """

    offset: int
    newest: int = 0

    @classmethod
    def of(cls, note: str) -> Self:
        """Read a note."""
        return cls(*map(int, note.split()))

    def note(self) -> str:
        """Return what is noted of it."""
        return f"{self.offset} {self.newest}"

    def after(self, partition: Partition, offset: int, time: int | None) -> Self:
        """Return the position behind a message; ``newest`` is the time that the message is given.

        Brokers and producers count milliseconds. So that all messages have times of their own, each partition
        uses microseconds that others do not (25 take turns), and goes on with the next of them when the time
        is no newer than that of the message before, by up to ten seconds.

        Examples
        --------
        >>> third = Partition("presses", 2)
        >>> Position(7, 5_002).after(third, 7, 5_000), Position(8, 5_027).after(third, 8, 6_000)
        (Position(offset=8, newest=5027), Position(offset=9, newest=6002))
        """
        if time is None:
            return type(self)(offset + 1, self.newest)
        own = time + partition.number % _LANES
        behind = 0 <= self.newest - own < _TOGETHER
        return type(self)(offset + 1, self.newest + _LANES if behind else own)


class Beginning(NamedTuple):
    """The next message to read, by its offset, and what a person should know of it; empty if all is well."""

    offset: int
    notice: str = ""


def begin(
    partition: Partition,
    held: tuple[int, int],
    *,
    noted: int | None,
    committed: int | None,
    start: Literal["earliest", "latest"],
) -> Beginning:
    """Say where to read on.

    Parameters
    ----------
    held : offset of the first message that the cluster holds, and of the one that comes next
    noted, committed : offset of the next message by our own notes, and by the group; ``None`` if there is none
    start : where to begin if neither is known

    Examples
    --------
    >>> begin(Partition("presses", 0), (0, 90), noted=40, committed=38, start="earliest")
    Beginning(offset=40, notice='')
    >>> begin(Partition("presses", 0), (60, 90), noted=40, committed=38, start="earliest").offset
    60
    """
    first, end = held
    if noted is None and committed is None:
        return Beginning(first if start == "earliest" else end)
    wanted = max(each for each in (noted, committed) if each is not None)
    where = f"topic {partition.topic!r}, partition {partition.number}"
    if wanted > end:
        return Beginning(
            first,
            f"{where}: message {wanted} would be next, but {end} is; the topic was made anew or cut off: it is read"
            f" from its first message, {first}",
        )
    if wanted < first:
        return Beginning(
            first,
            f"{where}: messages {wanted} to {first - 1} are lost, the cluster deleted them before they were read; let"
            " it keep messages for longer than Andon may be away (retention.ms, retention.bytes)",
        )
    if noted is not None and noted < wanted:
        return Beginning(
            wanted,
            f"{where}: messages {noted} to {wanted - 1} were read by another member of the group, or its position was"
            " moved; if that member keeps its data elsewhere, give this stream another group to have them here, too",
        )
    return Beginning(wanted)
