"""Spans: from when to when each machine has readings, wherever they lie.

The spans of what is sealed lie in the catalogue. Those of what waits in the log are read off its batches: to
write them down with each batch would cost as much as the batch itself.
"""

import threading
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, bindparam, case, select

from ingest import log
from ingest.catalogue import SPANS
from ingest.statement import Insert, Many, Query

Span = tuple[int, int]
"""First and newest event time, microseconds since 1970."""

_SEALED = Query(select(SPANS.c.machine, SPANS.c.first, SPANS.c.newest).where(SPANS.c.machine_class == bindparam("of")))


def spans_of(table: pa.Table) -> dict[str, Span]:
    """Return the span of each machine in a table of readings, or in the columns ``machine`` and ``time`` of one."""
    machines = table["machine"]
    if not pa.types.is_dictionary(machines.type):
        machines = machines.dictionary_encode()
    machines = machines.unify_dictionaries().combine_chunks()
    codes, times = machines.indices.to_numpy(), table["time"].cast(pa.int64()).to_numpy()
    first = np.full(len(machines.dictionary), 2**62)
    newest = -first
    np.minimum.at(first, codes, times)
    np.maximum.at(newest, codes, times)
    each = zip(machines.dictionary.to_pylist(), zip(first.tolist(), newest.tolist(), strict=True), strict=True)
    return {name: span for name, span in each if span[0] <= span[1]}


def sealed(connection: Connection, machine_class: str) -> dict[str, Span]:
    """Return the span of each machine of a class in the lake."""
    return {machine: (first, newest) for machine, first, newest in _SEALED(connection, of=machine_class)}


def widen(connection: Connection, machine_class: str, spans: Mapping[str, Span]) -> None:
    """Note in the catalogue that machines have readings in these spans, too."""
    if spans:
        _SPAN(connection, [(machine_class, machine, *span) for machine, span in spans.items()])


class LogSpans:
    """Spans of what came into the log; remembers them, so that each batch is looked at once.

    A batch that was sealed since is still told of, which is as true as it was.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._spans: dict[str, dict[str, Span]] = {}

    def of(self, connection: Connection, machine_class: str) -> dict[str, Span]:
        """Return the span of each machine of a class that has readings in the log; damaged batches have none."""
        with self._lock:
            spans = self._spans.setdefault(machine_class, {})
            for number, tables in log.columns(
                connection, machine_class, ("machine", "time"), after=self._seen.get(machine_class, 0)
            ):
                if tables:
                    spans.update(joined(spans, spans_of(pa.concat_tables(tables))))
                self._seen[machine_class] = number
            return dict(spans)


def joined(one: Mapping[str, Span], other: Mapping[str, Span]) -> dict[str, Span]:
    """Return the machines of ``other``, each with a span that holds its spans in both.

    Examples
    --------
    >>> joined({"p1": (1, 2), "p2": (3, 4)}, {"p1": (2, 5)})
    {'p1': (1, 5)}
    """
    before = ((name, span, one.get(name, span)) for name, span in other.items())
    return {name: (min(span[0], old[0]), max(span[1], old[1])) for name, span, old in before}


def _widened(statement: Insert) -> Insert:
    new, old = statement.excluded, SPANS.c
    return statement.on_conflict_do_update(
        index_elements=["machine_class", "machine"],
        set_={
            "first": case((new.first < old.first, new.first), else_=old.first),
            "newest": case((new.newest > old.newest, new.newest), else_=old.newest),
        },
    )


_SPAN = Many(SPANS, ("machine_class", "machine", "first", "newest"), _widened)
