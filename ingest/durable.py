"""Bytes and names that are on disk when a call returns."""

import os
from pathlib import Path


def written(path: Path, data: bytes) -> int:
    """Return the descriptor of a new file that has this on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_at(descriptor, data, 0)
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write_at(descriptor: int, data: bytes, at: int) -> None:
    """Write all of this from a place on; it is for the caller to sync."""
    view = memoryview(data)
    while view:
        length = os.pwrite(descriptor, view, at)
        view, at = view[length:], at + length


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
