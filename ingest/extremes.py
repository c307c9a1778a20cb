"""The lowest and highest readings of a machine over a long span, without reading all that lies between.

What is sealed once and for all is taken from the envelopes in the files. Where readings may have come twice (files that
overlap, and the log), where a file has no envelope, and at the two ends of the span, the readings themselves are read.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from ingest.checksum import damaged
from ingest.envelope import Cells, cells_of, wider
from ingest.envelope_part import FIRST_SIGNAL, Places, places_in
from ingest.errors import StoreError
from ingest.gather import ATTEMPTS
from ingest.lake import Lake
from ingest.place import Opened
from ingest.reading import DAY
from ingest.segment import Index, Segment, Selection, index_of

_AT_ONCE = 8 * DAY
"""Microseconds of readings that are read at a time."""

_TAIL = 65_536
"""Bytes at the end of a file among which its envelopes of one machine, and where they are, often lie."""

Interval = tuple[int, int]
"""[first, newest], in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes
    ----------
    span : of the readings
    shortest : length that the cells must have at least, in microseconds; they are at most a third longer
    """

    machine: str
    signals: tuple[str, ...]
    span: Interval
    shortest: int

    def width(self, grid: int) -> int | None:
        """Return the length of cells that are made of cells of a grid; ``None`` where that were too long.

        Examples
        --------
        >>> asked = Asked("press-7", ("speed",), (0, 0), 15_800)
        >>> asked.width(300), asked.width(3_600), asked.width(36_000)
        (15900, 18000, None)
        """
        width = -(-self.shortest // grid) * grid
        return width if 3 * width <= 4 * self.shortest else None


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What the envelopes of one file say of the machine, and the longest of their cells."""

    span: Interval
    cells: dict[str, list[Cells]]
    grid: int


def extremes(
    lake: Lake,
    asked: Asked,
    look: Callable[[], tuple[Sequence[Segment], Sequence[Interval]]],
    read: Callable[[Interval], pa.Table],
) -> dict[str, Cells] | None:
    """Return the cells of each signal, exact; ``None`` where no envelope helps, and all has to be read.

    Parameters
    ----------
    look : returns the segments, and the spans of the batches of the log, that touch the span that is asked for
    read : returns the machine's readings in an interval, each once

    Raises
    ------
    DamagedError
        When an envelope is not what was written.
    StoreError
        When a file is not there, though the catalogue knows it still.
    """
    for _ in range(ATTEMPTS):
        segments, waiting = look()
        try:
            sealed = [each for each in _each_sealed(lake, _alone(segments, waiting), asked) if each is not None]
        except FileNotFoundError:
            continue
        there = [(each.first, each.newest) for each in segments] + list(waiting)
        return _together(asked, sealed, there, read) if sealed else None
    raise StoreError(f"{lake.place.name}: files are in the catalogue but not there")


def _together(
    asked: Asked, sealed: Sequence[_Sealed], there: Iterable[Interval], read: Callable[[Interval], pa.Table]
) -> dict[str, Cells] | None:
    width = asked.width(max(each.grid for each in sealed))
    if width is None:
        return None
    first, newest = asked.span
    # Cells within these ends lie wholly in the span.
    inner = (-(-first // width) * width, (newest + 1) // width * width - 1)
    found: dict[str, list[Cells]] = {name: [] for name in asked.signals}
    covered: list[Interval] = []
    for each in sealed:
        span = max(each.span[0], inner[0]), min(each.span[1], inner[1])
        if span[0] <= span[1]:
            covered.append(span)
            for name, cells in each.cells.items():
                found[name] += [some.between(*inner) for some in cells]
    for low, high in _left(asked.span, there, covered):
        for begin in range(low, high + 1, _AT_ONCE):
            table = read((begin, min(high, begin + _AT_ONCE - 1)))
            times = table["time"].cast(pa.int64()).to_numpy()
            for name, several in found.items():
                several.append(cells_of(times, table[name].to_numpy(), width))
    return {name: wider(several, width) for name, several in found.items()}


def _each_sealed(lake: Lake, segments: Sequence[Segment], asked: Asked) -> list[_Sealed | None]:
    lake.place.foresee([lake.path(each) for each in segments], _TAIL)
    if lake.place.at_once == 1 or len(segments) < 2:
        return [_sealed(lake, each, asked) for each in segments]
    with ThreadPoolExecutor(lake.place.at_once, "andon-extremes") as several:
        return list(several.map(lambda each: _sealed(lake, each, asked), segments))


def _sealed(lake: Lake, segment: Segment, asked: Asked) -> _Sealed | None:
    """Return what the envelopes of a file say; ``None`` where one is missing, or its cells are too long."""
    with lake.place.open(lake.path(segment)) as file:
        index = index_of(file, segment.sums)
        places = places_in(index.metadata)
        if places is None:
            return None
        groups = Selection((), (asked.machine,), *asked.span).touching(index)
        grids = [int(places.groups[each]["grid"]) for each in groups]
        if not grids or any(not grid or asked.width(grid) is None for grid in grids):
            return None
        return _Sealed((segment.first, segment.newest), _cells_in(file, index, places, groups, asked), max(grids))


def _cells_in(
    file: Opened, index: Index, places: Places, groups: Sequence[int], asked: Asked
) -> dict[str, list[Cells]]:
    names = index.metadata.schema.names[FIRST_SIGNAL:]
    # A signal that the file does not know was not read then.
    wanted = [(group, names.index(name), name) for group in groups for name in asked.signals if name in names]
    file.fetch([places.extent(group, signal) for group, signal, _ in wanted])
    bodies: dict[str, list[tuple[int, bytes]]] = {}
    for group, signal, name in wanted:
        offset, length = places.extent(group, signal)
        body = file.read_at(length, offset)
        if not places.right(group, signal, body):
            raise damaged(file)
        bodies.setdefault(name, []).append((group, body))
    return {name: places.cells(several) for name, several in bodies.items()}


def _alone(segments: Sequence[Segment], waiting: Iterable[Interval]) -> list[Segment]:
    """Return the segments whose readings nothing else can have again."""
    ordered = sorted(segments, key=lambda each: each.first)
    touched: set[int] = set()
    reach, holder = -(2**63), -1
    for each in ordered:
        if each.first <= reach:
            touched |= {each.id, holder}
        if each.newest > reach:
            reach, holder = each.newest, each.id
    spans = list(waiting)
    return [
        each
        for each in ordered
        if each.id not in touched and not any(low <= each.newest and high >= each.first for low, high in spans)
    ]


def _left(span: Interval, there: Iterable[Interval], covered: Iterable[Interval]) -> list[Interval]:
    """Return the parts of a span in which something is there that is not covered."""
    taken = sorted(covered)
    left: list[Interval] = []
    for low, high in _joined(there):
        begin, end = max(low, span[0]), min(high, span[1])
        for first, newest in taken:
            if newest < begin or first > end:
                continue
            if first > begin:
                left.append((begin, first - 1))
            begin = newest + 1
        if begin <= end:
            left.append((begin, end))
    return left


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined
