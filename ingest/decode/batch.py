"""A body of rows that names its columns as we do: machine, time, and signals or signal and value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.decode.mapping import resolve
from ingest.decode.number import DECIMAL_KEY, empty
from ingest.decode.reject import MOST_IN_A_BODY, Rejects
from ingest.decode.rows import Decoded, RowDecoder
from ingest.errors import SourceError
from ingest.plant import Plant, Source
from ingest.reading import TIME

MOST_COLUMNS = 5_000
LONG = {"machine", "time", "signal", "value"}
_SHOWN = 20
_KEY = "; it looks like time_format = "
_TIMES = {
    "'s'": "seconds since 1970",
    "'ms'": "milliseconds since 1970",
    "'us'": "microseconds since 1970",
    "'ns'": "nanoseconds since 1970",
}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def decode_batch(
    table: pa.Table,
    plant: Plant,
    *,
    now: datetime,
    time_format: str = "iso",
    line_of: Callable[[int], int] = lambda row: row + 1,
) -> Decoded:
    """Decode rows whose columns are named ``machine``, ``time`` and then as signals, or ``signal``, ``value``.

    In wide rows a column ``arrived`` of moments (timestamps with a zone) says when somebody before us got
    each row; ``now`` takes the place of what is later, before 1970 or missing.

    Raises
    ------
    SourceError
        When the rows have no ``machine``, ``time`` or signal at all, or more than ``MOST_IN_A_BODY`` mistakes.
    """
    long = set(table.column_names) >= LONG
    table, arrivals = (table, None) if long else _without_arrivals(table, now)
    names = tuple(table.column_names)
    source = Source(
        name="batch",
        path="-",
        machine=["machine"],
        time=["time"],
        time_format=time_format,
        signal_column="signal" if long else None,
        value_column="value" if long else None,
    )
    _refuse_without_columns(names, plant)
    decoded = BatchDecoder(plant, source, names, "the body", MOST_IN_A_BODY).decode(table, now, line_of, arrivals)
    if not any(_KEY in each.reason or DECIMAL_KEY in each.reason for each in decoded.rejections):
        return decoded
    return replace(
        decoded, rejections=[replace(each, reason=_for_a_client(each.reason)) for each in decoded.rejections]
    )


def _for_a_client(reason: str) -> str:
    """Return a reason without keys of the plant file, which whoever sends a body cannot change."""
    if reason.endswith(DECIMAL_KEY):
        return f"{reason.removesuffix(DECIMAL_KEY)}; send numbers with a point"
    what, key, looks = reason.partition(_KEY)
    return f"{what}; it looks like {_TIMES.get(looks, looks)}; send an ISO time, with its zone" if key else reason


class BatchDecoder:
    """Decodes tables of one shape; a value that is no signal of its machine is turned away, not passed over.

    Parameters
    ----------
    names : columns of the tables
    where : what is decoded, for messages
    most_rejected : rows and cells of one table that may be turned away

    Raises
    ------
    SourceError
        When a column that the source names is not there, or no column is a signal; of a table with more mistakes.
    """

    def __init__(
        self, plant: Plant, source: Source, names: Sequence[str], where: str, most_rejected: float = math.inf
    ) -> None:
        refuse_many_columns(len(names))
        self._plant = plant
        mapping = resolve(source, plant, names, where)
        self._columns = list(mapping.columns)
        self._decoder = RowDecoder(plant, mapping, now=_NEVER, old_after=plant.old_after, most_rejected=most_rejected)
        self._most_rejected = most_rejected
        placing = {*source.machine, *(source.time or ())}
        named = mapping.long or source.signals is not None
        self._possible_signals = [] if named else [each for each in names if each not in placing]
        signals = {signal.name for each in plant.classes for signal in each.signals}
        self._beside = [each for each in names if each in signals - placing - LONG] if mapping.long else []

    def decode(
        self,
        table: pa.Table,
        now: datetime,
        line_of: Callable[[int], int] = lambda row: row + 1,
        arrivals: pa.ChunkedArray | None = None,
    ) -> Decoded:
        """Decode the next rows; they came ``now``, or each at its own time of ``arrivals``."""
        self._decoder.arrival, self._decoder.arrivals = now, arrivals
        decoded = self._decoder.decode(table.select(self._columns), line_of)
        strange = Rejects(line_of, self._most_rejected)
        self._turn_strange_signals_away(table, strange)
        for name in self._beside:
            reason = "it stands beside a signal and its value; send it in a row of its own"
            strange.add(np.flatnonzero(~empty(table[name])), name, table[name], reason)
        if not strange.count:
            return decoded
        return replace(
            decoded,
            rejections=sorted([*decoded.rejections, *strange.kept], key=lambda each: each.line),
            rejected=decoded.rejected + strange.count,
        )

    def _turn_strange_signals_away(self, table: pa.Table, rejects: Rejects) -> None:
        """Turn away values of signals that the machine's class does not have."""
        classes = self._decoder.class_of_rows
        for number in np.unique(classes[classes >= 0]).tolist() if self._possible_signals else ():
            signals = [each.name for each in self._plant.classes[number].signals]
            known = set(signals)
            for name in [each for each in self._possible_signals if each not in known]:
                rows = np.flatnonzero(~empty(table[name]) & (classes == number))
                if len(rows):
                    hint = rejects.hint(name, signals)
                    reason = f"class {self._plant.classes[number].name!r} has no signal {name[:80]!r}{hint}"
                    rejects.add(rows, name, table[name], reason)


def _refuse_without_columns(names: Sequence[str], plant: Plant) -> None:
    """Raise ``SourceError`` for columns that hold no reading, in the words of whoever sends them."""
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    missing = next((each for each in ("machine", "time") if each not in names), None)
    if missing is not None:
        near = next(iter(get_close_matches(missing, names, 1)), "")
        marks = len(names) == 1 and any(mark in names[0] for mark in ";\t|")
        hint = "; are its columns parted by commas?" if marks else f"; is {near!r} meant?" if near else ""
        raise refuse_body(f"has no column {missing!r} but: {shown or 'none'}{hint}")
    signals = list(dict.fromkeys(each.name for machine_class in plant.classes for each in machine_class.signals))
    if not set(names) >= LONG and not set(signals) & set(names):
        others = [each for each in names if each not in ("machine", "time")]
        near = next((found for each in others for found in get_close_matches(each, signals, 1)), "")
        more = f" and {len(signals) - _SHOWN} more" if len(signals) > _SHOWN else ""
        hint = f"; is {near!r} meant?" if near else ""
        raise refuse_body(
            f"has no column of a signal but: {shown}; the signals are: {', '.join(signals[:_SHOWN])}{more}{hint}"
        )


def _without_arrivals(table: pa.Table, now: datetime) -> tuple[pa.Table, pa.ChunkedArray | None]:
    """Take the column of arrivals out of a table, if it has one."""
    place = table.schema.get_field_index("arrived")
    if place < 0 or not pa.types.is_timestamp(kind := table.schema.field(place).type) or kind.tz is None:
        return table, None
    said = table.column(place).cast(TIME, safe=False).cast(pa.int64())
    latest = pa.scalar(now, TIME).cast(pa.int64())
    believed = pc.fill_null(pc.and_(pc.greater(said, 0), pc.less(said, latest)), False)
    return table.remove_column(place), pc.if_else(believed, said, latest).cast(TIME)


def refuse_twice(names: Sequence[str]) -> None:
    """Refuse a body that names a column twice, and say which."""
    if len(set(names)) < len(names):
        twice = next(each for number, each in enumerate(names) if each in names[:number])
        raise refuse_body(f"names a column twice: {twice[:80]!r}")


def refuse_many_columns(count: int) -> None:
    """Raise ``SourceError`` when a body names more columns than any machine has signals."""
    if count > MOST_COLUMNS:
        raise refuse_body(f"has {count:,} columns, at most {MOST_COLUMNS:,} are read")


def refuse_body(reason: str) -> SourceError:
    """Return the error for a body that holds no rows at all."""
    return SourceError(
        f"the body {reason}; send rows of machine, time and one value per signal, or machine, signal, time and value"
    )
