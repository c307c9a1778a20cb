"""InfluxDB line protocol: ``measurement,machine=press-7 temperature=61.2,pressure=5.1 1777788000000000000``.

The tag ``machine`` names the machine and the fields are its signals; the measurement and all other tags are
passed over. A line without a timestamp is taken to be of the moment when it came. Escapes, comments and
the kinds of fields (float, integer ``1i``, unsigned ``1u``, boolean, string) are those of InfluxDB.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from ingest.decode.batch import decode_batch, refuse_body, refuse_many_columns
from ingest.decode.reject import MOST_IN_A_BODY, Rejects
from ingest.decode.rows import Decoded
from ingest.plant import Plant

MOST_CELLS = 5_000_000
MOST_LINES = 200_000
MOST_READ_BY_LETTER = 50_000
"""Fields in lines with escapes or strings: each takes ten times as long as another."""
MACHINE_TAG = "machine"
PER_SECOND = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}

# Lines without an escape, a string or a space inside: nearly all lines of machines. They are cut with
# ``str.split``; the others are read letter by letter by these expressions.
_PLAIN = re.compile(r'[\\"]')
_KEYS = re.compile(r"(?:[^\\, ]|\\.|\\$)+")
_NAME = re.compile(r"(?:[^\\,= ]|\\.|\\$)+")
_HEAD = re.compile(r"(?:[^\\ ]|\\.|\\$)*")
"""Measurement and tags, in which a quote is a letter like any other."""
_CELL = re.compile(r'"(?:[^"\\]|\\.)*"|[^, "]+', re.DOTALL)
_STAMP = re.compile(r"-?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+[iu]")
_TRUTH = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), 0.0),
}

Cell = float | str


def decode_line_protocol(
    body: bytes, plant: Plant, *, now: datetime, precision: str = "ns", machine_tag: str = MACHINE_TAG
) -> Decoded:
    """Decode lines of line protocol.

    Parameters
    ----------
    now : time of arrival
    precision : what timestamps count: ``ns``, ``us``, ``ms`` or ``s``
    machine_tag : the tag that names the machine

    Returns
    -------
    Decoded
        Lines in its rejections are counted from 1, empty lines and comments included.

    Raises
    ------
    SourceError
        When the body has no line that can be read, or far more different fields than lines.

    Examples
    --------
    >>> from datetime import UTC
    >>> from ingest.plant import Machine, MachineClass, Signal
    >>> press = MachineClass(name="press", signals=[Signal(name="force")])
    >>> plant = Plant(classes=[press], machines=[Machine(name="p1", machine_class="press")])
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> decode_line_protocol(b"any,machine=p1 force=12 1767225600", plant, now=moment, precision="s").readings[0].count
    1
    """
    refuse_many_lines(body)
    broken = Rejects(lambda row: row, MOST_IN_A_BODY)
    lines = Lines(machine_tag)
    for number, line in lines_in(body):
        try:
            lines.add(number, line)
        except ValueError as error:
            broken.add_line(number, line, str(error))
    if not lines.numbers:
        if not broken.count:
            raise refuse_body("has no line of line protocol")
        return Decoded(rejections=broken.kept, rejected=broken.count, rows=broken.count)
    decoded = decode_batch(lines.table(now, precision), plant, now=now, line_of=lines.numbers.__getitem__)
    return Decoded(
        readings=decoded.readings,
        rejections=sorted([*broken.kept, *decoded.rejections], key=lambda each: each.line),
        rejected=decoded.rejected + broken.count,
        rows=decoded.rows + broken.count,
        used=decoded.used,
        missing=decoded.missing,
        turned_away=decoded.turned_away,
    )


def refuse_many_lines(body: bytes) -> None:
    """Raise ``SourceError`` when a body has more lines than can be read one by one in a second."""
    if body.count(b"\n") > MOST_LINES:
        raise refuse_body(f"has more than {MOST_LINES:,} lines, and something is wrong or unusual in one of them")


def lines_in(body: bytes) -> Iterator[tuple[int, str]]:
    """Give the lines of a body that say something, with their numbers from 1."""
    for number, line in enumerate(_split(body.decode("utf-8", "replace")), 1):
        if line and not line.isspace() and line.lstrip()[0] != "#":
            yield number, line.strip("\r")


class Lines:
    """Lines as columns, grown line by line.

    Parameters
    ----------
    machine_tag : the tag that names the machine, which every line must have; empty if none does
    """

    def __init__(self, machine_tag: str) -> None:
        self._tag = machine_tag
        self._prefix = machine_tag + "="
        self.numbers: list[int] = []
        self._read_by_letter = 0
        self._machines: list[str] = []
        self._stamps: list[int | None] = []
        # The place of each value in the whole table; a line that fails half way must leave nothing.
        self._columns: dict[str, tuple[list[int], list[Cell]]] = {}

    def add(self, number: int, line: str) -> None:
        """Take one line; ``ValueError`` says what is wrong with it."""
        if _PLAIN.search(line):
            machine, fields, stamp = _read(line, self._tag)
            self._read_by_letter += len(fields)
            if self._read_by_letter > MOST_READ_BY_LETTER:
                raise refuse_body(f"has more than {MOST_READ_BY_LETTER:,} fields in lines with strings or escapes")
        else:
            machine, fields, stamp = self._cut(line)
        names = [name for name, _ in fields]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"field {twice[:40]!r} stands there twice; which value is meant?")
        row = len(self.numbers)
        for name, cell in fields:
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = ([], [])
            column[0].append(row)
            column[1].append(cell)
        self.numbers.append(number)
        self._machines.append(machine)
        self._stamps.append(stamp)

    def table(self, now: datetime | None, precision: str) -> pa.Table:
        """Return the columns ``machine``, ``time`` and one for each field.

        Parameters
        ----------
        now : time of lines without a timestamp; they have none if it is ``None``
        """
        refuse_many_columns(len(self._columns))
        rows = len(self.numbers)
        if rows * len(self._columns) > MOST_CELLS:
            raise refuse_body(f"has {len(self._columns):,} different fields in {rows:,} lines")
        names = pa.array(self._machines, pa.string())
        columns = {"machine": names, "time": _times(self._stamps, now, precision)}
        for name, (places, cells) in self._columns.items():
            # A field that is named as our own columns is still a field, and no signal can be named so.
            columns[f"field {name}" if name in ("machine", "time") else name] = _column(rows, places, cells)
        return pa.table(columns)

    def _cut(self, line: str) -> tuple[str, list[tuple[str, Cell]], int | None]:
        parts = line.split()
        if not 2 <= len(parts) <= 3:
            raise ValueError("not 'measurement,machine=… field=value,… timestamp'")
        machine = ""
        for tag in parts[0].split(",")[1:]:
            if tag.startswith(self._prefix):
                machine = tag[len(self._prefix) :]
        if self._tag and not machine:
            raise ValueError(f"no tag {self._tag!r}, which names the machine")
        fields: list[tuple[str, Cell]] = []
        for field in parts[1].split(","):
            name, equals, text = field.partition("=")
            if not name or not equals:
                raise ValueError(f"{field[:40]!r} is not 'field=value'")
            fields.append((name, _cell(text)))
        return machine, fields, _stamp(parts[2]) if len(parts) == 3 else None


def _split(text: str) -> Sequence[str]:
    """Return the lines; a line break inside a string is part of the string."""
    lines = text.split("\n")
    if '"' not in text:
        return lines
    joined: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        whole, end = line, number
        # A string that never ends must not take the rest of the body with it.
        while _open(whole) and end + 1 < len(lines) and end - number < 16:
            end += 1
            whole = f"{whole}\n{lines[end]}"
        if _open(whole):
            whole, end = line, number
        joined += [whole, *[""] * (end - number)]
        number = end + 1
    return joined


def _open(line: str) -> bool:
    """Say whether a string begins in a line and does not end in it."""
    whole = line.lstrip()
    if '"' not in whole or whole.startswith("#"):
        return False
    head = _HEAD.match(whole)
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', whole[head.end() if head else 0 :])) % 2 == 1


def _read(line: str, machine_tag: str) -> tuple[str, list[tuple[str, Cell]], int | None]:
    """Read a line that has escapes or strings."""
    found = _KEYS.match(line)
    if found is None:
        raise ValueError("no measurement")
    at = found.end()
    machine = ""
    while line[at : at + 1] == ",":
        name, at = _part(line, at + 1, "a tag")
        if line[at : at + 1] != "=":
            raise ValueError(f"tag {name[:40]!r} has no value")
        value, at = _part(line, at + 1, "a value of a tag")
        machine = value if name == machine_tag else machine
    if machine_tag and not machine:
        raise ValueError(f"no tag {machine_tag!r}, which names the machine")
    at = _blank(line, at)
    fields: list[tuple[str, Cell]] = []
    while True:
        name, at = _part(line, at, "a field")
        cell = _CELL.match(line, at + 1) if line[at : at + 1] == "=" else None
        if cell is None:
            raise ValueError(f"field {name[:40]!r} has no value, or a string that does not end")
        fields.append((name, _cell(cell.group())))
        at = cell.end()
        if line[at : at + 1] != ",":
            break
        at += 1
    rest = line[at:]
    if rest and not rest[0].isspace():
        raise ValueError(f"{rest[:40]!r} behind the fields")
    return machine, fields, _stamp(rest.strip()) if rest.strip() else None


def _part(line: str, at: int, what: str) -> tuple[str, int]:
    found = _NAME.match(line, at)
    if found is None:
        raise ValueError(f"{what} is missing behind {line[max(0, at - 20) : at]!r}")
    text = found.group()
    return re.sub(r"\\([,= ])", r"\1", text) if "\\" in text else text, found.end()


def _blank(line: str, at: int) -> int:
    end = at
    while line[end : end + 1] == " ":
        end += 1
    if end == at:
        raise ValueError("no blank between tags and fields")
    return end


def _cell(text: str) -> Cell:
    try:
        # ``float`` also reads what is no number here: 1_000, nan, and letters of other scripts.
        if text[-1:].isdigit() and "_" not in text and text.isascii():
            return float(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a number") from error
    if _WHOLE.fullmatch(text):
        return float(text[:-1])
    if text in _TRUTH:
        return _TRUTH[text]
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"{text[:40]!r} is not a number, a boolean or a string in double quotes")


def _stamp(text: str) -> int:
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a timestamp, which is a whole number")
    return int(text)


def _times(stamps: Sequence[int | None], now: datetime | None, precision: str) -> pa.Array:
    per = PER_SECOND[precision]
    arrival = 0 if now is None else round(now.timestamp() * 1_000_000)
    # Far enough from our limits to be named as out of range, near enough not to overflow.
    limit = 2**62 // max(1, 1_000_000 // per)
    filled = (arrival * per // 1_000_000 if each is None else each for each in stamps)
    counts = np.array([min(max(each, -limit), limit) for each in filled], np.int64)
    micros = counts // 1_000 if precision == "ns" else counts * (1_000_000 // per)
    unknown = np.array([each is None for each in stamps], np.bool_) if now is None else None
    return pa.array(micros, mask=unknown).cast(pa.timestamp("us", "UTC"))


def _column(rows: int, places: Sequence[int], cells: Sequence[Cell]) -> pa.Array:
    """Return a field's values at their rows: numbers if all are, else text, so that one does not spoil the others."""
    try:
        values = np.array(cells, np.float64) if str not in set(map(type, cells)) else None
    except ValueError:
        values = None
    if values is None:
        texts = np.full(rows, None, object)
        texts[list(places)] = [each if isinstance(each, str) else repr(each) for each in cells]
        return pa.array(texts, pa.string())
    if len(places) == rows and places[-1] == rows - 1 and places[0] == 0:
        return pa.array(values)
    spread = np.full(rows, np.nan)
    spread[list(places)] = values
    return pa.array(spread, from_pandas=True)
