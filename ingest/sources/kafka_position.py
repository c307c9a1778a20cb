"""Where to read on in a partition: after what is durable here, and what other members of the group have read."""

from typing import Literal, NamedTuple


class Partition(NamedTuple):
    """A part of a topic, with a position of its own."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"


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
