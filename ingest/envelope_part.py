"""Where envelopes lie in a file of the lake: behind its row groups, before its footer, which says where each is.

To every other program the file is Parquet as before. The footer is verified by the file's checksums, and holds one of
each envelope, so that nothing is read of it that was not written.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ingest.envelope import Cells, cells_of, grid_for

KEY = b"andon.envelope"
FIRST_SIGNAL = 3
"""Columns before the signals: machine, time, arrived."""
_CELL = np.dtype([("low", "<f8"), ("high", "<f8"), ("low_after", "<u4"), ("high_after", "<u4"), ("count", "<u4")])
_PLACE = np.dtype([("offset", "<i8"), ("grid", "<i8"), ("first", "<i8"), ("cells", "<i8")])


@dataclass(frozen=True, slots=True)
class Places:
    """Where the envelopes of a file lie.

    Attributes
    ----------
    groups : of each row group the offset, the length of its cells, the number of the first and how many there are;
        none where the group is of several machines or of slow signals
    sums : uint32 array of shape (groups, signals)
    """

    groups: NDArray[Any]
    sums: NDArray[np.uint32]

    def extent(self, group: int, signal: int) -> tuple[int, int]:
        """Return offset and length of the envelope of a signal in a row group, in bytes."""
        place = self.groups[group]
        size = int(place["cells"]) * _CELL.itemsize
        return int(place["offset"]) + signal * size, size

    def has(self, group: int) -> bool:
        """Say whether there is an envelope of a row group."""
        return bool(self.groups[group]["cells"])

    def right(self, group: int, signal: int, body: bytes) -> bool:
        """Say whether bytes are those that were written as the envelope of a signal in a row group."""
        return zlib.crc32(body) == int(self.sums[group, signal])

    def cells(self, bodies: Sequence[tuple[int, bytes]]) -> list[Cells]:
        """Return what (row group, bytes) say that are right: groups whose cells are of one length together."""
        by_grid: dict[int, list[tuple[int, bytes]]] = {}
        for group, body in bodies:
            by_grid.setdefault(int(self.groups[group]["grid"]), []).append((group, body))
        return [self._of_one_grid(grid, some) for grid, some in by_grid.items()]

    def _of_one_grid(self, grid: int, bodies: Sequence[tuple[int, bytes]]) -> Cells:
        rows = np.frombuffer(b"".join(body for _, body in bodies), _CELL)
        first = self.groups["first"]
        number = np.concatenate(
            [np.arange(first[group], first[group] + len(body) // _CELL.itemsize) for group, body in bodies]
        )
        there = rows["count"] > 0
        number, some = number[there], rows[there]
        begin = number * grid
        return Cells(
            grid,
            number,
            some["low"].astype(np.float64),
            begin + some["low_after"],
            some["high"].astype(np.float64),
            begin + some["high_after"],
            some["count"].astype(np.int64),
        )


class Envelopes:
    """Collects the envelopes of a file that is being written, row group by row group."""

    def __init__(self, signals: Sequence[str]) -> None:
        self._signals = signals
        self._bodies: list[list[bytes]] = []
        self._places: list[tuple[int, int, int]] = []

    def add(self, table: pa.Table) -> None:
        """Add a row group, sorted by machine and time."""
        grid = _grid(table)
        if grid is None:
            self._bodies.append([])
            self._places.append((0, 0, 0))
            return
        times = table["time"].cast(pa.int64()).to_numpy()
        first, last = int(times[0] // grid), int(times[-1] // grid)
        each = [cells_of(times, table[name].to_numpy(), grid) for name in self._signals]
        self._bodies.append([_packed(cells, first, last) for cells in each])
        self._places.append((grid, first, last - first + 1))

    def write(self, sink: Any) -> Mapping[bytes, bytes]:
        """Write all of them, and return what the footer has to say; nothing where there is none."""
        if not any(self._bodies):
            return {}
        groups = np.zeros(len(self._bodies), _PLACE)
        sums = np.zeros((len(self._bodies), len(self._signals)), np.uint32)
        for number, (bodies, place) in enumerate(zip(self._bodies, self._places, strict=True)):
            if bodies:
                groups[number] = (sink.tell(), *place)
                sums[number] = [zlib.crc32(each) for each in bodies]
                sink.write(b"".join(bodies))
        return {KEY: base64.b64encode(groups.tobytes() + sums.astype("<u4").tobytes())}


def places_in(metadata: pq.FileMetaData) -> Places | None:
    """Return where the envelopes of a file lie; ``None`` if it has none, as files of before."""
    kept = (metadata.metadata or {}).get(KEY)
    if kept is None:
        return None
    body, count = base64.b64decode(kept), metadata.num_row_groups
    groups = np.frombuffer(body, _PLACE, count)
    return Places(groups, np.frombuffer(body, "<u4", offset=groups.nbytes).reshape(count, -1))


def _grid(table: pa.Table) -> int | None:
    machines = table["machine"].combine_chunks()
    codes = machines.indices.to_numpy()
    if not len(codes) or codes[0] != codes[-1]:
        return None
    ends = pa.chunked_array([table["time"].cast(pa.int64()).take(pa.array([0, table.num_rows - 1])).combine_chunks()])
    first, newest = ends.to_pylist()
    return grid_for(first, newest, table.num_rows)


def _packed(cells: Cells, first: int, last: int) -> bytes:
    rows = np.zeros(last - first + 1, _CELL)
    some, begin = cells.number - first, cells.number * cells.grid
    for name, values in (
        ("low", cells.low),
        ("high", cells.high),
        ("low_after", cells.low_at - begin),
        ("high_after", cells.high_at - begin),
        ("count", cells.count),
    ):
        rows[name][some] = values
    return rows.tobytes()
