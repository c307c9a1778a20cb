"""A fingerprint of what a model learnt from, so that one can say later whether data is still the same."""

from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from models.moment import instants

_ROWS = 4096


def digest_of(table: FeatureTable, labels: NDArray[np.int8], targets: pd.DataFrame) -> str:
    """Return a SHA-256 over all features, labels and events, in hexadecimal digits.

    The same numbers give the same digest on every computer: a feature that is not known is hashed as one and
    the same NaN, and bytes are in little-endian order.

    Parameters
    ----------
    table, labels : what the learner was given, with the rows that it was to leave out
    targets : table of ``target_events``
    """
    digest = sha256("\n".join([*table.names, ""]).encode())
    for begin in range(0, len(table), _ROWS):
        rows = slice(begin, begin + _ROWS)
        values = table.values[rows].astype("<f8")
        digest.update("\n".join(map(str, table.machine[rows])).encode())
        digest.update(table.time[rows].astype("<M8[us]").tobytes())
        digest.update(np.where(np.isnan(values), np.nan, values).tobytes())
        digest.update(labels[rows].astype("<i1").tobytes())
    digest.update("\n".join(map(str, targets["machine"])).encode())
    for name in (each for each in ("begin", "end") if each in targets):
        digest.update(instants(targets[name]).astype("<M8[us]").tobytes())
    return digest.hexdigest()
