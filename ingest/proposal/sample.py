"""Look into a file in bounded memory: its beginning, a few places further on, its end."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from ingest.errors import SourceError
from ingest.sources.csv_file import UNEVEN_HEADER, end_of_lines

_WHOLE = 8_000_000
_HEAD = 4_000_000
_PIECE = 500_000
_ROWS_WHOLE = 200_000
_ROWS_HEAD = 50_000
_ROWS_PIECE = 5_000
_PLACES = (0.25, 0.5, 0.75, 1.0)
_DELIMITERS = (",", ";", "\t", "|")
_ROWS_LOOKED_AT = 200
_CELLS_LOOKED_AT = 200_000
_UNNAMED = "\0unnamed "
_OTHER_ENCODING = "cp1252"
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}\b")
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
    names : of CSV: all columns of the file, also those that hold nothing and have no name
    above : of CSV: lines down to the header
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
    names: tuple[str, ...] = ()
    above: int = 1
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
        names = list(sample.names)
        with pyarrow.csv.open_csv(
            sample.path,
            read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=sample.above, encoding=sample.encoding),
            parse_options=_parsing(sample.delimiter, breaks=True),
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
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(f"{path}: text in UTF-16; save it as CSV in UTF-8")
    if b"\x00" in head[:100_000]:
        raise SourceError(f"{path}: a binary file that is neither Parquet nor Arrow; export it as CSV or Parquet")
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _WHOLE:
            pieces = [file.read()]
        else:
            pieces = [head[: end_of_lines(head) or len(head)]]
            for place in () if _breaks_in_quotes(head) else _PLACES:
                file.seek(max(_HEAD, int(place * (size - _PIECE))))
                rows = file.read(_PIECE)
                pieces.append(rows[rows.find(b"\n") + 1 : rows.rfind(b"\n") + 1])
    encoding = "utf8" if _is_utf8(pieces[0]) else _OTHER_ENCODING
    text = pieces[0].decode(encoding, errors="replace").removeprefix("\ufeff")
    if "\n" not in text.strip() and "\r" in text.strip():
        raise SourceError(f"{path}: its lines end with a carriage return alone; save it with line feeds")
    delimiter, names = _header(path, text)
    above = 1 + next(number for number, line in enumerate(text.split("\n")) if line.strip())
    breaks = _breaks_in_quotes(pieces[0])
    tables = []
    for number, piece in enumerate(pieces):
        reading = pyarrow.csv.ReadOptions(
            column_names=names, skip_rows=above if number == 0 else 0, use_threads=False, encoding=encoding
        )
        tables.append(_rows(piece, reading, _parsing(delimiter, breaks=breaks)))
    sample = _of_pieces(path, "csv", tables, whole=size <= _WHOLE)
    frame = _without_empty(path, sample.frame)
    return replace(
        sample,
        frame=frame,
        delimiter=delimiter,
        decimal=_decimal(frame, delimiter),
        encoding=encoding,
        names=tuple(names),
        above=above,
    )


def _breaks_in_quotes(text: bytes) -> bool:
    """Whether a row goes on over several lines; further on in the file nobody knows then where a row begins."""
    return any(line.count(b'"') % 2 for line in text.split(b"\n"))


def _without_empty(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that have a name, or hold something."""
    unnamed = [name for name in map(str, frame) if name.startswith(_UNNAMED)]
    filled = [name for name in unnamed if frame[name].fillna("").str.strip().ne("").any()]
    if len(filled) > 1:
        raise SourceError(f"{path}: {len(filled)} columns have no name; give each column a name of its own")
    return frame.drop(columns=[name for name in unnamed if name not in filled])


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header(path: Path, text: str) -> tuple[str, list[str]]:
    """Return the delimiter, and the names of the columns; those of columns without one are made up."""
    if text.lstrip().split("\n", 1)[0].count('"') % 2:
        raise SourceError(f"{path}: {UNEVEN_HEADER}")
    found = {delimiter: _first_rows(text, delimiter) for delimiter in _DELIMITERS}
    several = {mark: [len(row) for row in rows if len(row) > 1] for mark, rows in found.items()}
    widths = {mark: Counter(lengths).most_common(1)[0] for mark, lengths in several.items() if lengths}
    shares = {mark: count / len(found[mark]) for mark, (_, count) in widths.items()}
    if not shares:
        raise SourceError(f"{path}: there is only one column; separate columns by a comma, semicolon, tab or '|'")
    delimiter = max(shares, key=lambda mark: (round(shares[mark], 1), widths[mark][0]))
    names, width = [name.strip() for name in found[delimiter][0]], widths[delimiter][0]
    if shares[delimiter] < 0.8:
        raise SourceError(f"{path}: the rows differ in their number of columns; is this a table with one header?")
    if len(names) != width:
        raise SourceError(
            f"{path}: the first line has {len(names)} field(s) and most others have {width}; the first line must name "
            "all columns and nothing may stand above it"
        )
    held = sum(_NUMBER.fullmatch(name) is not None for name in names) > len(names) / 2
    if held or any(_DATE.match(name) for name in names):
        raise SourceError(
            f"{path}: the first line holds numbers or times; put a line with the names of the columns there"
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise SourceError(f"{path}: two columns are named {twice[0]!r}; give each column a name of its own")
    unnamed = names.count("") > 1
    return delimiter, [name or (f"{_UNNAMED}{number}" if unnamed else "") for number, name in enumerate(names)]


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows that hold anything, as far as they can be read with this delimiter."""
    rows: list[list[str]] = []
    try:
        reader = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _ROWS_LOOKED_AT)
        rows.extend(row for row in reader if any(cell.strip() for cell in row) or len(row) > 1)
    except csv.Error:
        pass
    return rows


def _parsing(delimiter: str, *, breaks: bool) -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=breaks, invalid_row_handler=lambda _: "skip"
    )


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
    words = frame.head(max(10, min(500, _CELLS_LOOKED_AT // len(frame.columns)))).astype(str).to_numpy().ravel()
    commas = sum(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", word) is not None for word in words)
    points = sum(re.fullmatch(r"\s*[+-]?\d+\.\d+\s*", word) is not None for word in words)
    return "," if commas > points else "."
