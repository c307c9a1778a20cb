"""A history without the readings that cannot be believed."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.history import ReadingsView
from ingest.reading import Readings
from models.moment import instant
from models.sensors.doubt import Doubt


@dataclass(frozen=True, slots=True)
class BelievedHistory(ReadingsView):
    """Hides doubted readings, as if they had not been read; itself a ``History``.

    Attributes
    ----------
    doubts : of each machine that has any
    """

    doubts: Mapping[str, Sequence[Doubt]]

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings of (start, end], null where they are doubted."""
        found = self.history.read(machine_class, machines=machines, signals=signals, start=start, end=end)
        doubted = [
            each for name in (self.doubts if machines is None else machines) for each in self._own(name, start, end)
        ]
        if not doubted:
            return found
        table = found.table
        machine = pc.index_in(table["machine"].cast(pa.string()), value_set=pa.array([*self.doubts], pa.string()))
        place = machine.fill_null(-1).to_numpy()
        time = table["time"].cast("int64").to_numpy().astype("datetime64[us]")
        for signal in {each.signal for each in doubted} & set(table.column_names):
            hidden = np.zeros(len(time), np.bool_)
            for number, own in enumerate(self.doubts.values()):
                for each in own:
                    if each.signal == signal:
                        hidden |= (place == number) & (time > each.begin) & (time <= each.end)
            column = table.column_names.index(signal)
            values = pc.if_else(pa.array(hidden), pa.scalar(None, table[signal].type), table[signal])
            table = table.set_column(column, table.schema.field(column), values)
        return replace(found, table=table)

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings in (start, end]; remembered apart for other doubts."""
        doubted = tuple((name, each) for name in self.doubts for each in self._own(name, start, end))
        marked = [(key, doubted) for key in keys] if doubted else keys
        return self.history.derived(machine_class, start, end, marked, work)

    def _own(self, machine: str, start: datetime | None, end: datetime | None) -> list[Doubt]:
        return [
            each
            for each in self.doubts.get(machine, ())
            if (start is None or each.end > instant(start)) and (end is None or each.begin < instant(end))
        ]
