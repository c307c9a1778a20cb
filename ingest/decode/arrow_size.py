"""How much a body of Arrow says that it unpacks to, read before anything of it is unpacked.

A packed buffer begins with its unpacked length, and the reader of Arrow makes room for that much at once. The
descriptions of messages are tables of FlatBuffers, of which the few fields below are read: a table begins with the
distance back to a list of places, which says where each field lies, 0 for one that is left out.
"""

import struct

import pyarrow as pa

_DICTIONARY, _ROWS = 2, 3
_KIND_FIELD, _HEADER_FIELD = 1, 2
_DATA_FIELD = 1
_BUFFERS_FIELD, _COMPRESSION_FIELD = 2, 3


def packed_bytes(body: bytes) -> int:
    """Return how many bytes the packed buffers of an Arrow IPC stream unpack to, as they say themselves.

    Raises
    ------
    pa.ArrowException, OSError, EOFError, ValueError
        When the body is no such stream.

    Examples
    --------
    >>> table, sink = pa.table({"force": [0.0] * 1000}), pa.BufferOutputStream()
    >>> with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
    ...     writer.write_table(table)
    >>> packed_bytes(sink.getvalue().to_pybytes())
    8000
    """
    size = 0
    for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(body)):
        if message.body is not None:
            try:
                size += _size_of(message.metadata.to_pybytes(), message.body)
            except struct.error as error:
                raise ValueError("a description of rows is cut off") from error
    return size


def _size_of(description: bytes, data: pa.Buffer) -> int:
    (root,) = struct.unpack_from("<I", description)
    kind, rows = _field(description, root, _KIND_FIELD), _field(description, root, _HEADER_FIELD)
    if not kind or not rows or description[kind] not in (_DICTIONARY, _ROWS):
        return 0
    table = _target(description, rows)
    if description[kind] == _DICTIONARY:
        inner = _field(description, table, _DATA_FIELD)
        if not inner:
            return 0
        table = _target(description, inner)
    if not _field(description, table, _COMPRESSION_FIELD):
        return 0
    buffers = _target(description, _field(description, table, _BUFFERS_FIELD))
    (count,) = struct.unpack_from("<I", description, buffers)
    size = 0
    for place in range(count):
        at, length = struct.unpack_from("<qq", description, buffers + 4 + 16 * place)
        if length:
            # A length of -1 says that the buffer was left as it is.
            size += max(0, *struct.unpack_from("<q", data, at))
    return size


def _field(description: bytes, table: int, number: int) -> int:
    """Return where a field of a table lies, 0 if it is left out."""
    (back,) = struct.unpack_from("<i", description, table)
    places = table - back
    (size,) = struct.unpack_from("<H", description, places)
    entry = 4 + 2 * number
    if entry + 2 > size:
        return 0
    (place,) = struct.unpack_from("<H", description, places + entry)
    return table + place if place else 0


def _target(description: bytes, at: int) -> int:
    (distance,) = struct.unpack_from("<I", description, at)
    return int(at + distance)
