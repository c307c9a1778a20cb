"""◆ Readings: what sensors said, as wide columns, one table per machine class."""

from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
DAY = 86_400_000_000
"""In the unit of ``TIME``."""
KEY_COLUMNS = ("machine", "time", "arrived")
TAKEN_NAMES = (*KEY_COLUMNS, "errors", "regime_share")
"""No signal may have these: they name columns of readings, and features that are of no signal."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one machine class.

    Attributes
    ----------
    machine_class : name of the class; all machines in the table belong to it
    table : ``machine`` (string), ``time`` (event time, ``timestamp[us, UTC]``), ``arrived`` (when we
        got it, same type), then one float64 column per signal, named as the signal, in its declared
        unit; null where the signal was not read at that moment. Never NaN or infinite.
    """

    machine_class: str
    table: pa.Table

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signal columns, in their order."""
        return tuple(name for name in self.table.schema.names if name not in KEY_COLUMNS)

    @property
    def count(self) -> int:
        """How many single readings (non-null cells) the table holds."""
        cells = self.table.columns[len(KEY_COLUMNS) :]
        return len(cells) * self.table.num_rows - sum(each.null_count for each in cells)


@lru_cache(maxsize=256)
def readings_schema(signals: tuple[str, ...]) -> pa.Schema:
    """Return the schema of a readings table with these signals.

    Examples
    --------
    >>> readings_schema(("temperature",)).names
    ['machine', 'time', 'arrived', 'temperature']
    """
    keys = [pa.field("machine", pa.string()), pa.field("time", TIME), pa.field("arrived", TIME)]
    return pa.schema([*keys, *(pa.field(name, pa.float64()) for name in signals)])
