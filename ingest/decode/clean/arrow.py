"""Arrow bodies of one batch, whose columns have the types that readings have."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ingest.decode.arrow import UNREADABLE, table_in
from ingest.decode.clean.columns import Columns
from ingest.decode.clean.layout import Layouts
from ingest.errors import SourceError
from ingest.reading import TIME


def arrow_columns(body: bytes, head: Mapping[str, str], layouts: Layouts) -> Columns | None:
    """Return the columns of a body; ``None`` if they are not clean."""
    del head
    try:
        found = table_in(body).combine_chunks().to_batches()
    except (*UNREADABLE, SourceError):
        return None
    if len(found) != 1:
        return None
    columns = dict(zip(found[0].schema.names, found[0].columns, strict=True))
    if len(columns) < found[0].num_columns or not {"machine", "time"} <= columns.keys():
        return None
    long = layouts.long(tuple(columns))
    machine, time = columns.pop("machine"), columns.pop("time")
    signal = columns.pop("signal") if long else None
    if not _whole(machine, pa.string()) or not _whole(time, TIME):
        return None
    stamps, names = time.view(pa.int64()).to_numpy(), tuple(columns)
    if signal is not None:
        if not _whole(signal, pa.string()) or not _whole(columns["value"], pa.float64()):
            return None
        value = columns["value"].to_numpy()
        return Columns(machine.to_pylist(), stamps, signal.to_pylist(), value, long=True)
    if layouts.of(names) is None or any(each.type != pa.float64() for each in columns.values()):
        return None
    cells = np.array([each.to_numpy(zero_copy_only=False) for each in columns.values()])
    return Columns(machine.to_pylist(), stamps, names, cells)


def _whole(column: pa.Array, kind: pa.DataType) -> bool:
    return column.type == kind and not column.null_count
