"""Checksums of what lies on disk: rot is found before anything of it is served."""

import os
import zlib
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import DamagedError

Sums = bytes
"""Checksums of one file, packed."""

_TAIL = 8
"""A Parquet file ends with the length of its footer, four bytes, and four bytes that name the format."""


class Opened(Protocol):
    """An open file."""

    def fileno(self) -> int:
        """Return its descriptor."""


def checksum(body: bytes, *said: object) -> int:
    """Return a checksum of bytes, and of what is said about them beside them."""
    return zlib.crc32(body, zlib.crc32(repr(said).encode()))


def sums_of(path: Path) -> Sums:
    """Return the checksums of a Parquet file: of its footer, then of each column of each row group.

    They are kept apart from the file; with them any part of it can be verified without the rest.
    """
    with path.open("rb") as file:
        footer = _footer(file, path.stat().st_size)
        metadata = pq.read_metadata(path)
        places = product(range(metadata.num_row_groups), range(metadata.num_columns))
        chunks = (zlib.crc32(_chunk(file, metadata, group, column)) for group, column in places)
        return np.array([zlib.crc32(footer), *chunks], np.uint32).tobytes()


def verify(path: Path, sums: Sums) -> None:
    """Raise ``DamagedError`` if any part of a Parquet file is not what was written."""
    with path.open("rb") as file:
        verify_footer(path, file, sums)
        metadata = pq.read_metadata(path)
        verify_groups(path, file, metadata, sums, range(metadata.num_row_groups), metadata.schema.names)


def is_whole(path: Path) -> bool:
    """Say whether a Parquet file was written to its end."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def verify_footer(path: Path, file: Opened, sums: Sums) -> None:
    """Raise ``DamagedError`` if what a Parquet file says about itself is not what was written."""
    footer = _footer(file, os.fstat(file.fileno()).st_size)
    if zlib.crc32(footer) != int(np.frombuffer(sums, np.uint32, 1)[0]):
        raise damaged(path)


def verify_groups(
    path: Path, file: Opened, metadata: pq.FileMetaData, sums: Sums, groups: Iterable[int], columns: Iterable[str]
) -> None:
    """Raise ``DamagedError`` if these columns of these row groups are not what was written."""
    expected = np.frombuffer(sums, np.uint32)[1:].reshape(metadata.num_row_groups, metadata.num_columns)
    wanted = set(columns)
    places = [place for place in range(metadata.num_columns) if metadata.schema.column(place).name in wanted]
    for group in groups:
        for place in places:
            if zlib.crc32(_chunk(file, metadata, group, place)) != int(expected[group, place]):
                raise damaged(path)


def damaged(path: Path) -> DamagedError:
    """Return the error for a file that is not what was written."""
    return DamagedError(
        f"{path}: damaged, its content is not what was written; restore it from a backup, or put it aside with"
        " 'andon check --storage --set-aside', and look after the disk"
    )


def _footer(file: Opened, size: int) -> bytes:
    tail = os.pread(file.fileno(), _TAIL, max(0, size - _TAIL))
    length = int.from_bytes(tail[:4], "little")
    return os.pread(file.fileno(), min(size, length + _TAIL), max(0, size - length - _TAIL))


def _chunk(file: Opened, metadata: pq.FileMetaData, group: int, column: int) -> bytes:
    chunk = metadata.row_group(group).column(column)
    begin = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        begin = min(begin, chunk.dictionary_page_offset)
    return os.pread(file.fileno(), chunk.total_compressed_size, begin)
