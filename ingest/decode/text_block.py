"""A block of whole CSV lines to a table, and each row back to the line that it stands on."""

import codecs
import math

import pyarrow as pa
import pyarrow.csv as pacsv

from ingest.decode.csv_rows import csv_rows, mended
from ingest.decode.number import NOTHING
from ingest.report import Rejection


class Lines:
    """The line in the file of each row of a block; worked out only if somebody asks."""

    def __init__(self, text: bytes, first: int, delimiter: str, width: int, rows: int) -> None:
        self._text = text
        self._first = first
        self._delimiter = delimiter
        self._width = width
        self._even = rows == lines_in(text)
        self._starts: list[int] | None = None
        self._broken: list[Rejection] = []

    def of(self, row: int) -> int:
        """Return the line of a row, counted from 1."""
        return self._first + row if self._even else self._rows()[row]

    def broken(self) -> tuple[Rejection, ...]:
        """Return the lines that have too few or too many fields."""
        self._rows()
        return tuple(self._broken)

    def _rows(self) -> list[int]:
        if self._starts is None:
            self._starts = []
            for line, fields in csv_rows(self._text.decode(), self._delimiter, self._first, self._width):
                if len(fields) == self._width:
                    self._starts.append(line)
                elif fields:
                    reason = f"the line has {len(fields)} fields, the header has {self._width}"
                    if self._delimiter.join(fields).count('"') % 2:
                        reason += "; a quotation mark in it never ends"
                    self._broken.append(Rejection(line, "", self._delimiter.join(fields)[:80], reason))
        return self._starts


class Part:
    """A parsed block: its table, the lines of its rows, and lines that are no rows."""

    def __init__(self, table: pa.Table, lines: Lines, broken: tuple[Rejection, ...]) -> None:
        self.table = table
        self.lines = lines
        self.broken = broken


def parse_csv(
    block: bytes,
    names: tuple[str, ...],
    wanted: tuple[str, ...],
    delimiter: str = ",",
    first_line_number: int = 2,
    most_broken: float = math.inf,
) -> Part:
    """Parse whole lines, without a header, to text columns; spellings of "nothing" become null.

    Parameters
    ----------
    names : all columns, in their order
    wanted : columns to return
    most_broken : lines that may be no rows; ``pa.ArrowInvalid`` if more are
    """
    text = to_utf8(block)
    broken = 0

    def skip(_: object) -> str:
        nonlocal broken
        broken += 1
        return "skip" if broken <= most_broken else "error"

    whole = mended(text, delimiter, len(names)) if b'"' in text else text
    table = pacsv.read_csv(
        pa.BufferReader(whole),
        read_options=pacsv.ReadOptions(column_names=list(names), block_size=len(whole) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=b'"' in text, invalid_row_handler=skip
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=list(wanted),
            strings_can_be_null=True,
            null_values=list(NOTHING),
        ),
    )
    lines = Lines(text, first_line_number, delimiter, len(names), table.num_rows)
    return Part(table, lines, lines.broken() if broken else ())


def to_utf8(data: bytes) -> bytes:
    """Return text as UTF-8; what is not UTF-8 is taken for the Western European encoding of Windows."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace").encode()
    return data


def unmarked(whole: bytes) -> bytes:
    """Return a whole text as UTF-8 without the mark of its encoding, by which UTF-16 is known."""
    if whole.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return whole.decode("utf-16", errors="replace").encode()
    return to_utf8(whole.removeprefix(codecs.BOM_UTF8))


def lines_in(block: bytes) -> int:
    """Return how many lines a block has."""
    return block.count(b"\n") + (not block.endswith(b"\n"))
