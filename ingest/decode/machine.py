"""Columns to machines of the plant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.decode.number import is_text, texts
from ingest.decode.reject import Rejects, rows_by_code
from ingest.plant import Plant

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Machines:
    """The machine of each row: ``codes`` index ``names``, -1 where the row has no machine of the plant."""

    codes: Integers
    names: list[str]
    ignored: int


class MachineColumn:
    """Finds the machine of each row.

    Parameters
    ----------
    columns : columns whose values, joined by '/', name the machine
    always : the machine of all rows, when there are no such columns
    ignore : whether rows of machines that the plant does not have are dropped without a word
    prefix : written before each name in those columns
    """

    def __init__(self, plant: Plant, columns: Sequence[str], always: str, *, ignore: bool, prefix: str = "") -> None:
        self._names = [each.name for each in plant.machines]
        self._code_of = {name: code for code, name in enumerate(self._names)}
        self._columns = columns
        self._always = always
        self._ignore = ignore
        self._prefix = prefix

    def read(self, table: pa.Table, rejects: Rejects) -> Machines:
        """Return the machine of each row; rows without one, or with an unknown one, are turned away."""
        if not self._columns:
            return Machines(np.full(table.num_rows, self._code_of[self._always], np.int64), self._names, 0)
        found, labels = _labels([table[name] for name in self._columns])
        labels = [self._prefix + label for label in labels] if self._prefix else labels
        known = np.array([self._code(label) for label in labels], np.int64)
        codes = np.where(found >= 0, known[found], -1) if len(labels) else np.full(table.num_rows, -1, np.int64)
        column = "/".join(self._columns)
        rejects.add(np.flatnonzero(found < 0), column, "", "no machine is named")
        ignored = 0
        rows_of = rows_by_code(found, len(labels)) if (known < 0).any() else []
        for label, rows, code in zip(labels, rows_of, known.tolist(), strict=False):
            if code < 0 and len(rows):
                if self._ignore:
                    ignored += len(rows)
                else:
                    rejects.add(
                        rows,
                        column,
                        label,
                        f"the plant has no machine {label[:80]!r}{rejects.hint(label, self._names)}",
                    )
        return Machines(codes, self._names, ignored)

    def _code(self, label: str) -> int:
        code = self._code_of.get(label, -1)
        return self._code_of.get(label[:-2], -1) if code < 0 and label.endswith(".0") else code


def _labels(columns: Sequence[pa.ChunkedArray]) -> tuple[Integers, list[str]]:
    """Return the index of each row's label, -1 where a part is missing, and the distinct labels."""
    parts = [encoded(column) for column in columns]
    codes, labels = parts[0]
    for more, names in parts[1:]:
        width = max(1, len(names))
        both = np.where((codes >= 0) & (more >= 0), codes * width + more, -1)
        distinct, codes = np.unique(both, return_inverse=True)
        labels = [f"{labels[pair // width]}/{names[pair % width]}" for pair in distinct.tolist() if pair >= 0]
        codes = codes - 1 if len(distinct) and distinct[0] < 0 else codes
    return codes.astype(np.int64), labels


def encoded(column: pa.ChunkedArray) -> tuple[Integers, list[str]]:
    """Return the index of each cell's label, -1 where it is empty, and the distinct labels as plain text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = (texts(column) if is_text(column.type) else column).combine_chunks().dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
    labels = [_plain(value) for value in _values(encoded.dictionary)]
    return np.where(np.array([label == "nan" for label in labels] + [False])[codes], -1, codes), labels


def _values(words: pa.Array) -> list[object]:
    try:
        return list(words.to_pylist())
    except OverflowError:  # a time that no calendar of ours has
        return [None if each is None else str(each) for each in words.cast(pa.int64()).to_pylist()]


def _plain(value: object) -> str:
    """Write a value as a person names a machine: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
