"""Arrow bodies of one batch, whose columns have the types that readings have."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ingest.decode.arrow import UNREADABLE, batches_in
from ingest.decode.clean.columns import Columns
from ingest.decode.clean.layout import Layouts
from ingest.errors import SourceError
from ingest.reading import TIME


def arrow_columns(body: bytes, head: Mapping[str, str], layouts: Layouts) -> Columns | None:
    """Return the columns of a body; ``None`` if they are not clean."""
    del head
    try:
        found = batches_in(body)
        names = [each.schema.names for each in found]
    except (*UNREADABLE, SourceError):
        return None
    if len(found) != 1:
        return None
    columns = dict(zip(names[0], found[0].columns, strict=True))
    if len(columns) < found[0].num_columns or not {"machine", "time"} <= columns.keys():
        return None
    long = layouts.long(tuple(columns))
    machine, time = columns.pop("machine"), columns.pop("time")
    signal = columns.pop("signal") if long else None
    if not _whole(machine, pa.string()) or not _whole(time, TIME):
        return None
    stamps, values = time.view(pa.int64()).to_numpy(), tuple(columns)
    if signal is not None:
        if not _whole(signal, pa.string()) or not _whole(columns["value"], pa.float64()):
            return None
        value = columns["value"].to_numpy()
        return Columns(machine.to_pylist(), stamps, signal.to_pylist(), value, long=True)
    if layouts.of(values) is None or any(each.type != pa.float64() for each in columns.values()):
        return None
    cells = np.array([each.to_numpy(zero_copy_only=False) for each in columns.values()])
    return Columns(machine.to_pylist(), stamps, values, cells)


def _whole(column: pa.Array, kind: pa.DataType) -> bool:
    return column.type == kind and not column.null_count
