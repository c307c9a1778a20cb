"""Checksums of what was written: rot is found before anything of it is served."""

import zlib
from collections.abc import Collection, Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.envelope_part import places_in
from ingest.errors import DamagedError
from ingest.folder import open_file
from ingest.place import Opened

Sums = bytes
"""Checksums of one file, packed."""

_TAIL = 8
"""A Parquet file ends with the length of its footer, four bytes, and four bytes that name the format."""


def checksum(body: bytes, *said: object) -> int:
    """Return a checksum of bytes, and of what is said about them beside them."""
    return zlib.crc32(body, zlib.crc32(repr(said).encode()))


def sums_of(path: Path) -> Sums:
    """Return the checksums of a Parquet file: of its footer, then of each column of each row group.

    They are kept apart from the file; with them any part of it can be verified without the rest.
    """
    with open_file(path) as file:
        footer = footer_of(file)
        metadata = pq.read_metadata(path)
        places = product(range(metadata.num_row_groups), range(metadata.num_columns))
        chunks = (zlib.crc32(_chunk(file, metadata, group, column)) for group, column in places)
        return np.array([zlib.crc32(footer), *chunks], np.uint32).tobytes()


def verify(file: Opened, sums: Sums) -> None:
    """Raise ``DamagedError`` if any part of a Parquet file is not what was written."""
    verify_footer(file, sums)
    metadata = metadata_of(file)
    places = places_in(metadata)
    for group in range(metadata.num_row_groups):
        verify_groups(file, metadata, sums, [group], metadata.schema.names)
        if places is not None and places.has(group):
            for signal in range(places.sums.shape[1]):
                offset, length = places.extent(group, signal)
                if not places.right(group, signal, file.read_at(length, offset)):
                    raise damaged(file)


def is_whole(file: Opened) -> bool:
    """Say whether a Parquet file was written to its end."""
    try:
        metadata_of(file)
    except pa.ArrowException:
        return False
    return True


def metadata_of(file: Opened) -> pq.FileMetaData:
    """Return what a Parquet file says about itself; an error of Arrow if it cannot be read."""
    return pq.read_metadata(pa.BufferReader(footer_of(file)))


def verify_footer(file: Opened, sums: Sums) -> None:
    """Raise ``DamagedError`` if what a Parquet file says about itself is not what was written."""
    if zlib.crc32(footer_of(file)) != int(np.frombuffer(sums, np.uint32, 1)[0]):
        raise damaged(file)


def verify_groups(
    file: Opened, metadata: pq.FileMetaData, sums: Sums, groups: Iterable[int], columns: Collection[str]
) -> None:
    """Raise ``DamagedError`` if these columns of these row groups are not what was written.

    They are at hand afterwards, as ``Opened.fetch`` says.
    """
    expected = np.frombuffer(sums, np.uint32)[1:].reshape(metadata.num_row_groups, metadata.num_columns)
    wanted = set(columns)
    places = [place for place in range(metadata.num_columns) if metadata.schema.column(place).name in wanted]
    chunks = [(group, place) for group in groups for place in places]
    parts = [_extent(metadata, group, place) for group, place in chunks]
    file.fetch(parts)
    for (group, place), (offset, length) in zip(chunks, parts, strict=True):
        if zlib.crc32(file.read_at(length, offset)) != int(expected[group, place]):
            raise damaged(file)


def damaged(file: Opened) -> DamagedError:
    """Return the error for a file that is not what was written."""
    return DamagedError(
        f"{file.name}: damaged, its content is not what was written; restore it from a backup, or put it aside with"
        " 'andon check --storage --set-aside', and look after the disk"
    )


def footer_of(file: Opened) -> bytes:
    """Return the last part of a Parquet file, in which it says what it holds."""
    tail = file.read_at(_TAIL, max(0, file.size - _TAIL))
    length = int.from_bytes(tail[:4], "little")
    return file.read_at(min(file.size, length + _TAIL), max(0, file.size - length - _TAIL))


def _chunk(file: Opened, metadata: pq.FileMetaData, group: int, column: int) -> bytes:
    offset, length = _extent(metadata, group, column)
    return file.read_at(length, offset)


def _extent(metadata: pq.FileMetaData, group: int, column: int) -> tuple[int, int]:
    chunk = metadata.row_group(group).column(column)
    begin = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        begin = min(begin, chunk.dictionary_page_offset)
    return begin, chunk.total_compressed_size
