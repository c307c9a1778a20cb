"""Rows of CSV with the lines that they begin on; a quotation mark that never ends is a mark and no quotation."""

import csv
import io
import sys
from collections.abc import Iterator

_LONGEST_FIELD = 2**31 - 1
"""Whoever hands a text over has bounded it; Python's own limit is 131,072 letters."""


def csv_rows(text: str, delimiter: str = ",", first: int = 1, width: int = 0) -> Iterator[tuple[int, list[str]]]:
    r"""Give the fields of each row, and the line that it begins on.

    A quoted text may take in further lines. Where it would take in all to the end, or one that is a row by itself,
    somebody wrote a mark such as that of an inch: it is part of its field then, and the lines after it are rows.

    Parameters
    ----------
    first : number of the first line of the text
    width : fields of a row; 0 where nobody knows, and then no line within a quotation is taken for a row

    Examples
    --------
    >>> list(csv_rows('press,1,"all,\nwell"\npress,2,"3/4 pipe\npress,3,\n', width=3))
    [(1, ['press', '1', 'all,\nwell']), (3, ['press', '2', '"3/4 pipe']), (4, ['press', '3', ''])]
    """
    rows = _rows(list(io.StringIO(text, newline="")), delimiter, width)
    return ((first + line, fields) for line, fields, _ in rows)


def mended(text: bytes, delimiter: str, width: int) -> bytes:
    """Return a text of which a parser without regard for marks makes the rows that ``csv_rows`` gives.

    Parameters
    ----------
    text : UTF-8
    """
    if not any(line.count(b'"') % 2 for line in text.split(b"\n")):
        return text
    lines = list(io.StringIO(text.decode(), newline=""))
    for line, fields, is_mark in _rows(list(lines), delimiter, width):
        if is_mark:
            sink = io.StringIO(newline="")
            csv.writer(sink, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(fields)
            lines[line] = sink.getvalue()
    return "".join(lines).encode()


class _Lines:
    """Hands out lines to a reader, row by row, and none that belongs to another row."""

    def __init__(self, lines: list[str], delimiter: str, width: int) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._least = width - 1 if width > 1 else sys.maxsize
        self._begin = self._place = 0
        self.is_mark = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        place, lines = self._place, self._lines
        if place > self._begin:  # within a row: the reader looks for the end of a quotation
            self.is_mark = place == len(lines) or self._is_row(lines[place])
        if self.is_mark or place == len(lines):
            raise StopIteration
        self._place = place + 1
        return lines[place]

    def _is_row(self, line: str) -> bool:
        return line.partition('"')[0].count(self._delimiter) >= self._least

    def begin(self) -> int:
        """Begin a row; return its line, counted from 0."""
        self._begin = self._place
        return self._begin

    def take_mark(self) -> list[str]:
        """Return the row's first line without regard for marks; the next row begins after it."""
        self._place, self.is_mark = self._begin + 1, False
        return next(csv.reader([self._lines[self._begin]], delimiter=self._delimiter, quoting=csv.QUOTE_NONE))


def _rows(lines: list[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str], bool]]:
    csv.field_size_limit(_LONGEST_FIELD)
    source = _Lines(lines, delimiter, width)
    reader = csv.reader(source, delimiter=delimiter)
    while True:
        line = source.begin()
        fields = next(reader, None)
        if fields is None:
            return
        if source.is_mark:
            yield line, source.take_mark(), True
            reader = csv.reader(source, delimiter=delimiter)
        else:
            yield line, fields, False
