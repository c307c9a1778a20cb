"""What was counted at the door and while merging: values turned away, and values that took the place of others."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from ingest.catalogue import to_microseconds
from ingest.reading import DAY
from ingest.store import Store


@dataclass(slots=True)
class Counts:
    """What was counted of one signal of one machine.

    Attributes
    ----------
    no_number : cells that were no numbers
    out_of_range : values outside the range that the plant file declares
    replaced : readings whose time came again with another value
    """

    no_number: int = 0
    out_of_range: int = 0
    replaced: int = 0


Counted = Mapping[tuple[str, str], Counts]
"""By machine and signal; those of which nothing was counted may be missing."""


def counted(store: Store, machine_class: str, spans: Mapping[str, tuple[datetime, datetime]]) -> Counted:
    """Return what was counted of the machines of a class.

    Days count as a whole where values were turned away. Replaced values count once they are sealed.

    Parameters
    ----------
    spans : first and last time to look at of each machine
    """
    found: dict[tuple[str, str], Counts] = defaultdict(Counts)
    if not spans:
        return found
    start, end = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
    days = {name: tuple(to_microseconds(each) // DAY for each in span) for name, span in spans.items()}
    for cell, count in store.turned_away(list(spans), start, end).items():
        first, last = days[cell.machine]
        if first <= cell.day <= last:
            kept = found[cell.machine, cell.signal]
            if cell.why == "no number":
                kept.no_number += count
            else:
                kept.out_of_range += count
    begins = {name: to_microseconds(first) for name, (first, _) in spans.items()}
    before = start - timedelta(microseconds=1)  # corrections are read as spans (start, end]
    for part in store.corrections.read(machine_class, machines=list(spans), start=before, end=end):
        names = part.table["machine"].cast(pa.string()).to_pylist()
        times = part.table["time"].cast(pa.int64())
        begin = pa.array([begins[name] for name in names], pa.int64())
        own = part.table.filter(pc.greater_equal(times, begin)).select(["machine", "signal"])
        plain = own.cast(pa.schema({"machine": pa.string(), "signal": pa.string()}))
        for row in plain.group_by(["machine", "signal"]).aggregate([([], "count_all")]).to_pylist():
            found[row["machine"], row["signal"]].replaced += row["count_all"]
    return found
