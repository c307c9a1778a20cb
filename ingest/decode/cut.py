"""What a body could not give, cut out of it: one dead letter for each row or cell that was turned away."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pyarrow as pa

from ingest.dead_letter import DeadLetter
from ingest.decode.arrow import UNREADABLE, arrow_table
from ingest.decode.arrow_size import packed_bytes
from ingest.decode.batch import LONG
from ingest.decode.csv_rows import csv_rows
from ingest.decode.json import parse_json
from ingest.decode.line_protocol import lines_in
from ingest.decode.rows import Decoded
from ingest.decode.text_block import unmarked
from ingest.report import Rejection

_PLACE = {"", "machine", "time"}


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was decoded: its kind and bytes, what the decoder knew beside them, and when it came."""

    kind: str
    body: bytes
    arrived: datetime
    head: Mapping[str, str]

    @property
    def unpacked_bytes(self) -> int:
        """How many bytes it has, or those of its columns where they are more."""
        try:
            return max(len(self.body), packed_bytes(self.body) if self.kind == "arrow" else 0)
        except UNREADABLE:
            return len(self.body)

    @property
    def digest(self) -> str:
        """Stands for all that decides what the body says: its bytes, and how they are read."""
        whole = sha256(_how_read(self.kind, tuple(self.head.items())))
        whole.update(self.body)
        return whole.hexdigest()

    def letter(self, body: bytes, rejections: Sequence[Rejection], kind: str = "") -> DeadLetter:
        """Return a part of the body as a letter."""
        return DeadLetter(
            kind=kind or self.kind, body=body, reason=said(rejections), arrived=self.arrived, head=self.head
        )


@lru_cache(64)
def _how_read(kind: str, head: tuple[tuple[str, str], ...]) -> bytes:
    return sha256(json.dumps([kind, dict(head)], sort_keys=True).encode()).digest()


def dead_letters(body: Body, decoded: Decoded) -> tuple[DeadLetter, ...]:
    """Return what was turned away of a body as letters that each can be decoded alone.

    A cell is a letter with its machine and time only, so that reading it again does not repeat its
    neighbours, which were good. Where the body cannot be cut, or more was turned away than is listed,
    the whole body is one letter.
    """
    if not decoded.rejected:
        return ()
    if decoded.rejected > len(decoded.rejections) or body.kind not in _CUTTERS:
        return (body.letter(body.body, decoded.rejections),)
    by_line: dict[int, list[Rejection]] = defaultdict(list)
    for each in decoded.rejections:
        by_line[each.line].append(each)
    return tuple(_CUTTERS[body.kind](body, by_line))


def said(rejections: Sequence[Rejection]) -> str:
    """Return why something was turned away, in one line."""
    reasons = list(
        dict.fromkeys(f"{each.column}: {each.reason}" if each.column else each.reason for each in rejections)
    )
    rest = len(reasons) - 3
    more = f"; and {rest} more reason{'s' if rest > 1 else ''}" if rest > 0 else ""
    return "; ".join(reasons[:3]) + more


def _cells(names: Sequence[str], rejections: Sequence[Rejection]) -> Iterator[tuple[Sequence[str], list[Rejection]]]:
    """Give the columns of each letter of one row: all of them, or those of a single cell."""
    if LONG.issubset(names) or any(each.column in _PLACE for each in rejections):
        yield names, list(rejections)
        return
    by_column: dict[str, list[Rejection]] = defaultdict(list)
    for each in rejections:
        by_column[each.column].append(each)
    for column, those in by_column.items():
        yield ("machine", "time", column), those


def _cut_json(body: Body, by_line: Mapping[int, list[Rejection]]) -> Iterator[DeadLetter]:
    content = parse_json(body.body)
    if isinstance(content, Mapping) and not all(isinstance(cells, list) for cells in content.values()):
        content = [content]
    for line, rejections in by_line.items():
        row: Any
        if isinstance(content, Mapping):
            row = {name: cells[line - 1] for name, cells in content.items()}
        else:
            row = content[line - 1]
        yield from _json_letters(body, row, rejections)


def _json_letters(body: Body, row: Any, rejections: Sequence[Rejection]) -> Iterator[DeadLetter]:
    if not isinstance(row, Mapping):
        yield _json_letter(body, row, rejections)
        return
    for names, those in _cells(list(row), rejections):
        yield _json_letter(body, {name: row.get(name) for name in names}, those)


def _json_letter(body: Body, row: Any, rejections: Sequence[Rejection]) -> DeadLetter:
    try:
        return body.letter(json.dumps([row], default=str).encode(), rejections, "json")
    except RecursionError:  # too deep to be written, although it could just be read
        return body.letter(body.body, rejections)


def _cut_csv(body: Body, by_line: Mapping[int, list[Rejection]]) -> Iterator[DeadLetter]:
    text = unmarked(body.body).decode()
    header, _, rest = text.partition("\n")
    names = [name.strip().strip('"') for name in header.strip().split(",")]
    for line, fields in csv_rows(rest, first=2, width=len(names)):
        if line not in by_line:
            continue
        if len(fields) != len(names):
            yield body.letter(_csv_text(names, fields), by_line[line])
            continue
        row = dict(zip(names, fields, strict=True))
        for some, those in _cells(names, by_line[line]):
            yield body.letter(_csv_text(some, [row[name] for name in some]), those)


def _csv_text(names: Sequence[str], fields: Sequence[str]) -> bytes:
    sink = io.StringIO(newline="")
    sink.write(",".join(names) + "\n")
    csv.writer(sink, lineterminator="\n").writerow(fields)
    return sink.getvalue().encode()


def _cut_lines(body: Body, by_line: Mapping[int, list[Rejection]]) -> Iterator[DeadLetter]:
    if b'"' in body.body:
        # A string may hold a line break, so that a line is not always a line.
        whole = {number: text.encode() for number, text in lines_in(body.body)}
    else:
        whole = dict(enumerate(body.body.split(b"\n"), 1))
    for line, rejections in by_line.items():
        yield body.letter(whole[line], rejections)


def _cut_arrow(body: Body, by_line: Mapping[int, list[Rejection]]) -> Iterator[DeadLetter]:
    table = arrow_table(body.body)
    for line, rejections in by_line.items():
        for names, those in _cells(table.column_names, rejections):
            known = [] if "arrived" in names or "arrived" not in table.column_names else ["arrived"]
            part = table.select([*names, *known]).slice(line - 1, 1).combine_chunks()
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, part.schema) as writer:
                writer.write_table(part)
            yield body.letter(sink.getvalue().to_pybytes(), those)


_CUTTERS: Mapping[str, Callable[[Body, Mapping[int, list[Rejection]]], Iterator[DeadLetter]]] = {
    "json": _cut_json,
    "csv": _cut_csv,
    "line_protocol": _cut_lines,
    "arrow": _cut_arrow,
}
