"""A reserve: a file that only takes room, so that there is some when the disk is full and room must be made."""

import contextlib
import os
from pathlib import Path

LEAST_BYTES = 64 << 10


class Reserve:
    """A file of zeros, given up when a new file cannot be written otherwise.

    Without it a full disk could not be left again: to remove a file that is settled, what it says of
    sources must be written to a new one first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, size: int) -> None:
        """Take so much room, or a little; where there is none, there is no reserve until the next time."""
        size = max(size, LEAST_BYTES)
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                have = os.fstat(descriptor).st_size
                if have < size:
                    os.pwrite(descriptor, bytes(size - have), have)
            finally:
                os.close(descriptor)

    def spend(self) -> bool:
        """Give the room back; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
