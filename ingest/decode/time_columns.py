"""A time that stands in several columns, such as a date and a clock."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ingest.decode.number import is_text, texts
from ingest.part import joined_name
from ingest.plant import Source


def join_times(table: pa.Table, source: Source) -> pa.Table:
    """Return the table with one more column for each time that stands in several: their texts, joined by a blank.

    A row that lacks one of them has no time.
    """
    for columns in _several(source):
        name = joined_name(columns)
        if name not in table.column_names:
            parts = [texts(each if is_text(each.type) else each.cast(pa.string())) for each in table.select(columns)]
            table = table.append_column(name, pc.binary_join_element_wise(*parts, " "))
    return table


def _several(source: Source) -> Iterator[list[str]]:
    for columns in (source.time, *(each for event in source.events for each in (event.time, event.end))):
        if columns is not None and len(columns) > 1:
            yield columns
