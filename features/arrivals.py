"""Readings that arrive together, machine by machine."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from features.microsecond import Times
from features.moments import Floats
from ingest.reading import Readings


def by_machine(readings: Readings, signals: Sequence[str]) -> Iterator[tuple[str, Times, Floats]]:
    """Yield each machine with the times of its readings, in the order of their arrival, and their values.

    Yields
    ------
    name, times in microseconds since 1970, and values of shape (n_rows, n_signals), NaN where a signal was not read
    """
    table = readings.table
    names = table["machine"].cast(pa.string()).combine_chunks().dictionary_encode()
    times = table["time"].cast(pa.int64()).to_numpy()
    rows = np.full((len(times), len(signals)), np.nan)
    for place, signal in enumerate(signals):
        if signal in table.column_names:
            rows[:, place] = table[signal].to_numpy()
    codes = names.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(names.dictionary) + 1))
    for code, name in enumerate(names.dictionary.to_pylist()):
        own = order[starts[code] : starts[code + 1]]
        yield name, times[own], rows[own]
