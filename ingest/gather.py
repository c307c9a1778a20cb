"""Readings of one class from lake and log together, also while files of the lake are replaced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingest.errors import StoreError
from ingest.lake import Lake
from ingest.log import Batch
from ingest.merge import conform
from ingest.segment import Segment, Selection

ATTEMPTS = 20
"""How often files are looked for that were replaced while they were read."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the catalogue knew at one moment of the readings that are asked for."""

    segments: Sequence[Segment]
    batches: Sequence[Batch]
    selection: Selection


def gather(lake: Lake, machine_class: str, look: Callable[[], Found]) -> tuple[Found, pa.Table]:
    """Return what was found and its rows, oldest arrival first, not merged.

    Parameters
    ----------
    look : asks the catalogue; again where a file was replaced before it was read

    Raises
    ------
    StoreError
        When a file is not there, though the catalogue knows it still.
    """
    failed: Sequence[Segment] | None = None
    for _ in range(ATTEMPTS):
        found = look()
        if found.segments == failed:
            break
        try:
            sealed = lake.read(found.segments, found.selection)
        except FileNotFoundError:
            failed = found.segments
            continue
        return found, pa.concat_tables([sealed, *selected(found.batches, found.selection)])
    raise StoreError(f"{lake.place.name}: files of class {machine_class!r} are in the catalogue but not there")


def selected(batches: Sequence[Batch], selection: Selection) -> list[pa.Table]:
    """Return the rows of batches that are asked for."""
    return [selection.keep(conform(each.table, selection.signals)) for each in batches]
