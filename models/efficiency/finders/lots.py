"""Lots: what was made in one go between two change-overs; pieces of one lot resemble each other."""

import numpy as np
import pandas as pd

from models.efficiency.finders.record import Record


def made_by_lot(record: Record) -> pd.DataFrame:
    """Return ``made`` with the numbers of the first and the last lot of each product in each shift.

    Returns
    -------
    DataFrame as ``Record.made``, with ``first_lot`` and ``last_lot``; −1 where it never ran
    """
    parts = record.parts
    running = (parts["did"] == "running").to_numpy()
    product = parts["product"].where(running).ffill().fillna("")
    opens = ((parts["did"] == "changeover") & parts["opens"]) | (product != product.shift())
    lots = (
        parts.assign(lot=np.cumsum(opens.to_numpy()))[running].groupby(["at", "product"])["lot"].agg(["first", "last"])
    )
    lots.columns = pd.Index(["first_lot", "last_lot"])
    found = record.made.join(lots, on=["at", "product"])
    return found.fillna({"first_lot": -1, "last_lot": -1}).astype({"first_lot": int, "last_lot": int})


def goes_on(rows: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which rows began with the lot that the row before them ended with, shape (n,)."""
    first, last = (rows[name].to_numpy(np.int64) for name in ("first_lot", "last_lot"))
    return np.concatenate([[False], (first[1:] == last[:-1]) & (first[1:] >= 0)])[: len(rows)]
