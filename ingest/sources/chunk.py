"""What every kind of file gives: tables of a bounded size, in the order of the file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from ingest.report import Rejection


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file.

    Attributes
    ----------
    table : the columns that were asked for
    key : names this part of this content; the same content gives the same keys
    done : how much of the file has been read, as ``size`` counts it
    line_of : the line (or row, from 1) in the file of a row of ``table``
    broken : lines that are no rows
    """

    table: pa.Table
    key: str
    done: int
    line_of: Callable[[int], int]
    broken: tuple[Rejection, ...] = ()


class File(Protocol):
    """A file that holds a table."""

    path: Path
    columns: tuple[str, ...]
    size: int

    def chunks(self, columns: tuple[str, ...]) -> Iterator[Chunk]:
        """Give the file part by part, with these columns."""


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
