"""Read a file that may be anything: only a plain one, and never more of it than a limit."""

import os
from pathlib import Path
from stat import S_ISREG


class UnreadError(Exception):
    """A file was not read; the text says why, without the file's name."""


def read_bounded(path: Path, most: int, *, exactly: int | None = None) -> bytes:
    """Return the bytes of a plain file.

    A link, a folder, a pipe or a device is not followed, opened for long or read.

    Parameters
    ----------
    most : of a larger file, nothing is read
    exactly : of a file of any other size, nothing is read

    Raises
    ------
    UnreadError
        With what is wrong: ``cannot be read (…)``, ``is larger than …`` or ``was altered …``.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UnreadError(f"cannot be read ({error.strerror or error})") from error
    with os.fdopen(handle, "rb", buffering=0):
        seen = os.fstat(handle)
        if not S_ISREG(seen.st_mode):
            raise UnreadError("cannot be read (it is no plain file)")
        if seen.st_size > most:
            raise UnreadError(f"is larger than the {most:,} bytes that are read of such a file")
        if exactly is not None and seen.st_size != exactly:
            raise UnreadError("was altered after it was saved")
        try:
            data = _all_of(handle, seen.st_size)
        except OSError as error:
            raise UnreadError(f"cannot be read ({error.strerror or error})") from error
    if len(data) != seen.st_size:
        raise UnreadError("changed while it was read")
    return data


def _all_of(handle: int, size: int) -> bytes:
    parts, left = [], size + 1
    while left and (part := os.read(handle, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
