"""Look into a file in bounded memory: its beginning, a few places further on, its end."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from ingest.errors import SourceError

_WHOLE = 8_000_000
_HEAD = 4_000_000
_PIECE = 500_000
_ROWS_WHOLE = 200_000
_ROWS_HEAD = 50_000
_ROWS_PIECE = 5_000
_PLACES = (0.25, 0.5, 0.75, 1.0)
_DELIMITERS = (",", ";", "\t", "|")
_OTHER_ENCODING = "cp1252"
_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s*")


@dataclass(frozen=True, eq=False)
class Sample:
    """Part of a file.

    Attributes
    ----------
    path : the file
    format : how it is written, whatever its ending says
    delimiter, decimal, encoding : of CSV
    frame : the rows that were read, shape (n_rows, n_columns); all text if CSV
    stretch : number of the piece of the file that each row comes from, shape (n_rows,); rows of one
        stretch follow each other in the file
    whole : whether ``frame`` is the whole file
    read_as_numbers : columns that were read as numbers already
    """

    path: Path
    format: Literal["csv", "parquet", "arrow"]
    frame: pd.DataFrame
    stretch: NDArray[np.int64]
    whole: bool
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf8"
    read_as_numbers: dict[str, NDArray[np.float64] | None] = field(default_factory=dict)


def read_sample(path: Path) -> Sample:
    """Read a sample of a CSV, Parquet or Arrow file.

    Raises
    ------
    SourceError
        When the file is missing, empty, of another kind, or has no header or only one column.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; check the spelling") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); give a CSV, Parquet or Arrow file") from error
    if not head.strip():
        raise SourceError(f"{path}: the file is empty; give one with a header and rows")
    try:
        if head.startswith(b"PAR1"):
            sample = _from_parquet(path)
        elif head.startswith(b"ARROW1"):
            sample = _from_arrow(path)
        else:
            sample = _from_csv(path, head)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path}: cannot be read: {reason}; is the file complete?") from error
    if len(sample.frame.columns) < 2:
        raise SourceError(f"{path}: there is only one column; a time and at least one value are needed")
    if sample.frame.empty:
        raise SourceError(f"{path}: there is a header but no row; give a file with data")
    return sample


def scan(sample: Sample, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read some columns of the whole file, piece by piece; text if CSV."""
    if sample.whole:
        yield sample.frame[list(columns)]
    elif sample.format == "parquet":
        with pyarrow.parquet.ParquetFile(sample.path) as file:
            for batch in file.iter_batches(columns=list(columns)):
                yield batch.to_pandas()
    elif sample.format == "arrow":
        with pa.memory_map(str(sample.path)) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                yield pa.table(reader.get_batch(number)).select(list(columns)).to_pandas()
    else:
        names = list(sample.frame.columns)
        with pyarrow.csv.open_csv(
            sample.path,
            read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1, encoding=sample.encoding),
            parse_options=_parsing(sample.delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=list(columns)
            ),
        ) as reader:
            for batch in reader:
                yield batch.to_pandas()


def _from_parquet(path: Path) -> Sample:
    with pyarrow.parquet.ParquetFile(path) as file:
        rows = file.metadata.num_rows
        if rows <= _ROWS_WHOLE:
            return _of_pieces(path, "parquet", [file.read()], whole=True)
        groups = sorted({min(file.num_row_groups - 1, int(place * file.num_row_groups)) for place in (0.0, *_PLACES)})
        pieces = []
        for group in groups:
            wanted = _ROWS_HEAD if group == 0 else _ROWS_PIECE
            pieces.append(pa.Table.from_batches([next(file.iter_batches(batch_size=wanted, row_groups=[group]))]))
    return _of_pieces(path, "parquet", pieces, whole=False)


def _from_arrow(path: Path) -> Sample:
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        count = reader.num_record_batches
        if count == 0:
            return _of_pieces(path, "arrow", [reader.schema.empty_table()], whole=True)
        numbers = sorted({min(count - 1, int(place * count)) for place in (0.0, *_PLACES)})
        whole = len(numbers) == count and sum(reader.get_batch(number).num_rows for number in numbers) <= _ROWS_WHOLE
        pieces = []
        for number in numbers:
            piece = pa.Table.from_batches([reader.get_batch(number)])
            pieces.append(piece if whole else piece.slice(0, _ROWS_HEAD if number == 0 else _ROWS_PIECE))
        return _of_pieces(path, "arrow", pieces, whole=whole)


def _from_csv(path: Path, head: bytes) -> Sample:
    if b"\x00" in head[:100_000]:
        raise SourceError(f"{path}: a binary file that is neither Parquet nor Arrow; export it as CSV or Parquet")
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _WHOLE:
            pieces = [file.read()]
        else:
            pieces = [head[: head.rfind(b"\n") + 1]]
            for place in _PLACES:
                file.seek(max(_HEAD, int(place * (size - _PIECE))))
                rows = file.read(_PIECE)
                pieces.append(rows[rows.find(b"\n") + 1 : rows.rfind(b"\n") + 1])
    encoding = "utf8" if _is_utf8(pieces[0]) else _OTHER_ENCODING
    delimiter, names = _header(path, pieces[0].decode(encoding, errors="replace").removeprefix("\ufeff"))
    tables = []
    for number, piece in enumerate(pieces):
        reading = pyarrow.csv.ReadOptions(
            column_names=names, skip_rows=int(number == 0), use_threads=False, encoding=encoding
        )
        tables.append(_rows(piece, reading, _parsing(delimiter)))
    sample = _of_pieces(path, "csv", tables, whole=size <= _WHOLE)
    return replace(sample, delimiter=delimiter, decimal=_decimal(sample.frame, delimiter), encoding=encoding)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header(path: Path, text: str) -> tuple[str, list[str]]:
    """Return the delimiter, and the names of the columns."""
    lines = text.splitlines()[:200]
    lines = [line for line in lines if line.strip()]
    fits: dict[str, float] = {}
    for delimiter in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        width = len(next(csv.reader(lines[:1], delimiter=delimiter)))
        if width > 1:
            fits[delimiter] = counts[width] / len(lines)
    if not fits:
        raise SourceError(f"{path}: there is only one column; separate columns by a comma, semicolon, tab or '|'")
    delimiter = max(fits, key=lambda each: fits[each])
    names = [name.strip() for name in next(csv.reader(lines[:1], delimiter=delimiter))]
    if fits[delimiter] < 0.8:
        raise SourceError(f"{path}: the rows differ in their number of columns; is this a table with one header?")
    if sum(_NUMBER.fullmatch(name) is not None for name in names) > len(names) / 2:
        raise SourceError(f"{path}: the first line holds numbers; put a line with the names of the columns there")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SourceError(f"{path}: two columns are named {twice[0]!r}; give each column a name of its own")
    return delimiter, names


def _parsing(delimiter: str) -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=lambda _: "skip")


def _rows(piece: bytes, reading: pyarrow.csv.ReadOptions, parsing: pyarrow.csv.ParseOptions) -> pa.Table:
    types = dict.fromkeys(reading.column_names, pa.string())
    if piece.count(b"\n") <= reading.skip_rows and not piece.split(b"\n")[reading.skip_rows :]:
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    converting = pyarrow.csv.ConvertOptions(column_types=types)
    return pyarrow.csv.read_csv(
        io.BytesIO(piece), read_options=reading, parse_options=parsing, convert_options=converting
    )


def _of_pieces(path: Path, kind: Literal["csv", "parquet", "arrow"], pieces: list[pa.Table], *, whole: bool) -> Sample:
    stretch = np.repeat(np.arange(len(pieces)), [piece.num_rows for piece in pieces])
    return Sample(path, kind, pa.concat_tables(pieces).to_pandas(), stretch, whole)


def _decimal(frame: pd.DataFrame, delimiter: str) -> Literal[".", ","]:
    if delimiter == ",":
        return "."
    words = frame.head(500).astype(str)
    commas = sum(int(words[name].str.fullmatch(r"\s*[+-]?\d+,\d+\s*").sum()) for name in words)
    points = sum(int(words[name].str.fullmatch(r"\s*[+-]?\d+\.\d+\s*").sum()) for name in words)
    return "," if commas > points else "."
