"""Values kept as decimals come back bit for bit, however they are cut and put together."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decimals import kind_for_all, kind_of, packed, unpacked

SHORT = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 6)).map(lambda each: each[0] / 10 ** each[1])
ANY = st.floats(allow_nan=False, allow_infinity=False)
COLUMNS = st.lists(st.none() | SHORT, max_size=30) | st.lists(st.none() | SHORT | ANY, max_size=30)


def there_and_back(values: list[float | None], kind: pa.DataType) -> bytes:
    table = pa.table({"a": packed(pa.chunked_array([pa.array(values, pa.float64())]), kind)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, store_decimal_as_integer=True)
    again = unpacked(pq.read_table(pa.BufferReader(sink.getvalue())))["a"]
    assert again.type == pa.float64()
    return np.array([np.nan if each is None else each for each in again.to_pylist()]).tobytes()


def as_bytes(values: list[float | None]) -> bytes:
    return np.array([np.nan if each is None else each for each in values], np.float64).tobytes()


@given(COLUMNS)
def test_a_column_comes_back_bit_for_bit(values: list[float | None]) -> None:
    kind = kind_of(pa.array(values, pa.float64()).to_numpy(zero_copy_only=False))

    assert there_and_back(values, kind) == as_bytes(values)


@given(st.lists(COLUMNS, min_size=1, max_size=4))
def test_columns_of_several_files_fit_together(columns: list[list[float | None]]) -> None:
    kinds = [kind_of(pa.array(each, pa.float64()).to_numpy(zero_copy_only=False)) for each in columns]
    values = [value for each in columns for value in each]

    assert there_and_back(values, kind_for_all(kinds)) == as_bytes(values)


@given(st.lists(SHORT, min_size=1, max_size=20), st.integers(0, 10), st.integers(0, 10))
def test_a_slice_of_a_packed_column_is_that_slice(values: list[float], begin: int, length: int) -> None:
    kind = kind_of(np.array(values))
    table = pa.table({"a": packed(pa.chunked_array([pa.array(values)]), kind)}).slice(begin, length)

    assert unpacked(table)["a"].to_pylist() == values[begin : begin + length]


@pytest.mark.parametrize("value", [0.05, 0.0, 1e6, 999_999_999.0, 1e13 + 0.5])
def test_few_digits_are_a_decimal(value: float) -> None:
    assert pa.types.is_decimal(kind_of(np.array([value])))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, 0.1 + 0.2, -0.0, 5e-324])
def test_what_would_not_come_back_stays_a_double(value: float) -> None:
    assert kind_of(np.array([value])) == pa.float64()
