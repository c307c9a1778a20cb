"""How far a spool has been sent: a few numbers in two places of one file, written over in turn.

The file has its size from the start, so that it can be written when the disk is full; when a write is
torn, the other place still holds what was true before.
"""

import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

_SLOT = 4096
_HEAD = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a spool has been sent.

    Attributes
    ----------
    spool : names this spool among all that send to one place
    turn : grows with every write
    done : number of the last record that is settled
    planned : number of the last record of the request under way, or that must be repeated; ``done`` if none
    dropped : records that were dropped, unsent, to make room
    altered : records that the disk altered, so that they could not be sent
    """

    spool: str
    turn: int = 0
    done: int = 0
    planned: int = 0
    dropped: int = 0
    altered: int = 0


def read_mark(path: Path) -> Mark | None:
    """Return the newest mark that was written whole; ``None`` if there is none."""
    if not path.exists():
        return None
    data = path.read_bytes()
    marks = [mark for at in (0, _SLOT) if (mark := _slot(data[at : at + _SLOT])) is not None]
    return max(marks, key=lambda each: each.turn, default=None)


def write_mark(path: Path, mark: Mark) -> None:
    """Write a mark durably, beside the one before it; raises ``OSError``."""
    text = json.dumps(asdict(mark)).encode()
    slot = (_HEAD.pack(len(text), zlib.crc32(text)) + text).ljust(_SLOT, b"\0")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if os.fstat(descriptor).st_size < 2 * _SLOT:
            os.pwrite(descriptor, bytes(2 * _SLOT), 0)
        os.pwrite(descriptor, slot, _SLOT * (mark.turn % 2))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _slot(data: bytes) -> Mark | None:
    if len(data) < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack_from(data)
    text = data[_HEAD.size : _HEAD.size + length]
    if not length or len(text) < length or zlib.crc32(text) != checksum:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return Mark(**told) if isinstance(told, dict) else None
