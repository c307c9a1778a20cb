"""Readings of few decimals, kept as whole numbers: half the room on disk, twice as fast, and the very same values.

A sensor that says 61.25 says no more than 6125 hundredths. As a double it has eight bytes of which hardly
any repeat; as a decimal it has two that change. A column is kept so only where each of its values comes
back bit for bit; Parquet's own decimal type tells every other program what it is.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DOUBLE = pa.float64()
MOST_DECIMALS = 6
_DIGITS = 9, 15
"""Digits that four and eight bytes hold; with fifteen, the division that makes a double of it is exact."""
_SAMPLE = 1_000


Kinds = Mapping[str, pa.DataType]
"""The type in which each signal is kept, by name."""


def kinds_of(table: pa.Table, signals: Sequence[str]) -> Kinds:
    """Return the type in which to keep each of these columns of doubles."""
    return {name: kind_of(table[name].to_numpy()) for name in signals}


def kind_of(values: NDArray[np.float64]) -> pa.DataType:
    """Return the type in which to keep values: a decimal, if all of them come back from it bit for bit.

    Parameters
    ----------
    values : NaN where there is none

    Examples
    --------
    >>> kind_of(np.array([61.25, np.nan, 7.5]))
    Decimal32Type(decimal32(4, 2))
    >>> kind_of(np.array([1 / 3]))
    DataType(double)
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return _decimal(1, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(present).max()
        for scale in range(MOST_DECIMALS + 1):
            if not largest * 10**scale < 10 ** _DIGITS[1]:
                break
            if _comes_back(present[:_SAMPLE], scale) and _comes_back(present, scale):
                return kind_up_to(largest, scale)
    return DOUBLE


def kind_up_to(largest: float, scale: int) -> pa.DataType:
    """Return a type for values of so many decimals, the largest of which is this one.

    Examples
    --------
    >>> kind_up_to(61.25, 2)
    Decimal32Type(decimal32(4, 2))
    """
    return _decimal(max(scale, len(str(int(np.rint(largest * 10**scale))))), scale)


def kind_for_all(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """Return a type that holds whatever each of these types holds.

    Examples
    --------
    >>> kind_for_all([pa.decimal32(4, 2), pa.decimal32(3, 0)])
    Decimal32Type(decimal32(5, 2))
    """
    several = list(kinds)
    if any(not pa.types.is_decimal(each) for each in several):
        return DOUBLE
    scale = max((each.scale for each in several), default=0)
    return _decimal(max((each.precision - each.scale for each in several), default=1) + scale, scale)


def packed(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return doubles in a type that ``kind_of`` or ``kind_for_all`` gave for them."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_decimal(kind):
        return whole
    values = whole.to_numpy(zero_copy_only=False)
    missing = np.isnan(values)
    numbers = np.rint(np.where(missing, 0, values) * 10**kind.scale)
    integers = pa.array(numbers.astype(np.int32 if kind.bit_width == 32 else np.int64), mask=missing)
    return pa.Array.from_buffers(kind, len(integers), integers.buffers(), offset=integers.offset)


def unpacked(table: pa.Table) -> pa.Table:
    """Return the table with doubles again in place of decimals."""
    if not any(pa.types.is_decimal(kind) for kind in table.schema.types):
        return table
    columns = [_as_doubles(each) if pa.types.is_decimal(each.type) else each for each in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _as_doubles(column: pa.ChunkedArray) -> pa.Array:
    kind, whole = column.type, column.combine_chunks()
    held = pa.int32() if kind.bit_width == 32 else pa.int64()
    integers = pa.Array.from_buffers(held, len(whole), whole.buffers(), offset=whole.offset)
    values = integers.to_numpy(zero_copy_only=False) / 10**kind.scale
    missing = None if whole.null_count == 0 else np.asarray(whole.is_null())
    return pa.array(values, DOUBLE, mask=missing)


def _comes_back(values: NDArray[np.float64], scale: int) -> bool:
    again = np.rint(values * 10**scale).astype(np.int64) / 10**scale
    # Bit for bit: a whole number has no minus zero.
    return bool((again.view(np.int64) == values.view(np.int64)).all())


def _decimal(digits: int, scale: int) -> pa.DataType:
    if digits <= _DIGITS[0]:
        return pa.decimal32(digits, scale)
    return pa.decimal64(digits, scale) if digits <= _DIGITS[1] else DOUBLE
