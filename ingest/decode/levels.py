"""Words that a source writes in place of numbers, such as kinds of a product."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.decode.machine import encoded
from ingest.decode.reject import Rejects
from ingest.plant_words import either


def level_numbers(column: pa.ChunkedArray, name: str, levels: Sequence[str], rejects: Rejects) -> NDArray[np.float64]:
    """Return the place of each word among the levels, 0 for the first; NaN where there is none.

    Words that are no level are turned away.

    Examples
    --------
    >>> level_numbers(pa.chunked_array([["L", "H", None]]), "type", ["L", "M", "H"], Rejects()).tolist()
    [0.0, 2.0, nan]
    """
    codes, labels = encoded(column)
    place = {level: float(number) for number, level in enumerate(levels)}
    values = np.array([*(place.get(label, np.nan) for label in labels), np.nan])[codes]
    unknown = np.isnan(values) & (codes >= 0)
    if unknown.any():
        rejects.add(np.flatnonzero(unknown), name, column, f"is none of {either(list(levels))}")
    return values
