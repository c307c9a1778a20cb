"""What a broker may send again although it is durable: the newest messages, by packet number and checksum.

A broker keeps a message until it has our acknowledgement, and sends it again, marked as such and with the
same number, if a connection or a process ended in between. So the newest messages, more than may ever be
unacknowledged, are noted in the transaction that makes them durable; each that comes again is known.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from zlib import crc32

import numpy as np

NAME = "unacknowledged"
SLOTS = 26
_RECORD = np.dtype([("packet", "<u2"), ("checksum", "<u4")])


def checksum(topic: bytes, payload: bytes) -> int:
    """Return a number that tells a message from others with the same packet number."""
    return crc32(payload, crc32(topic))


@dataclass(frozen=True)
class Window:
    """The newest durable messages.

    They lie in a few slots that are filled and replaced in turn, each a note of its own, so that a
    delivery writes little more than what is new.

    Attributes
    ----------
    slots : slots that are not empty, oldest first, by their turn
    room : how many messages a slot holds; all but one slot hold as many as may be unacknowledged
    """

    room: int
    slots: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def of(cls, notes: Mapping[str, str], unacknowledged: int) -> Self:
        """Read the window that was noted.

        Parameters
        ----------
        unacknowledged : how many messages may be unacknowledged at most
        """
        found = [note.partition(" ") for name, note in notes.items() if name.partition(" ")[0] == NAME and " " in note]
        slots = sorted((int(turn), b64decode(data)) for turn, _, data in found)
        return cls(-(-unacknowledged // (SLOTS - 2)), tuple(slots))

    def knows(self, packet: int, digest: int) -> bool:
        """Say whether a message that comes again is durable."""
        return self._digests.get(packet) == digest

    def after(self, packets: Sequence[int], digests: Sequence[int]) -> tuple[Self, dict[str, str]]:
        """Return the window once these messages are durable, too, and the notes that say so."""
        if not packets:
            return self, {}
        records = np.empty(len(packets), _RECORD)
        records["packet"], records["checksum"] = packets, digests
        new = records.tobytes()
        full = self.room * _RECORD.itemsize
        slots = list(self.slots) or [(0, b"")]
        changed = set()
        while new:
            turn, held = slots[-1]
            if len(held) >= full:
                turn, held = turn + 1, b""
                slots.append((turn, held))
            some, new = new[: full - len(held)], new[full - len(held) :]
            slots[-1] = (turn, held + some)
            changed.add(turn)
        slots = slots[-SLOTS:]
        notes = {
            f"{NAME} {turn % SLOTS}": f"{turn} {b64encode(held).decode()}" for turn, held in slots if turn in changed
        }
        return type(self)(self.room, tuple(slots)), notes

    def cleared(self) -> tuple[Self, dict[str, str]]:
        """Return an empty window, and the notes that say so."""
        return type(self)(self.room), {f"{NAME} {turn % SLOTS}": "" for turn, _ in self.slots}

    @cached_property
    def _digests(self) -> dict[int, int]:
        records = np.frombuffer(b"".join(held for _, held in self.slots), _RECORD)
        return dict(zip(records["packet"].tolist(), records["checksum"].tolist(), strict=True))
