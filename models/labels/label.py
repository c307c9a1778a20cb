"""Labels for a horizon, from what is known to have happened."""

from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import Target
from models.moment import instant, instants, is_over, span
from models.rows import by_machine, machine_rows

WEAR_HORIZONS = 10
WEAR_SHARE_OF_RUN = 3
"""The last so many horizons, and no more than one such part of a run, are no example of normal behaviour."""

TARGET_COLUMNS = ("machine", "begin", "end", "until", "components", "codes")


def target_events(events: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Return the events that a model is to foresee, each of them once.

    Records of one machine and time are one event (two components that fail at the same moment are
    one failure of the machine), and a record that begins while an earlier one still lasts, or at its
    end, prolongs it.

    Parameters
    ----------
    events : table with ``EVENT_COLUMNS``

    Returns
    -------
    DataFrame with ``TARGET_COLUMNS``, sorted by (machine, begin)
        ``end`` equals ``begin`` for an instant; ``until`` is up to when an alert can still be of use:
        the begin of a failure, because a breakdown needs no foretelling once it is there, and the end of
        anything else that lasts. ``components`` and ``codes`` are tuples, sorted, of those that the merged
        records name.
    """
    chosen = events["kind"] == target.kind
    if target.component:
        chosen &= events["component"] == target.component
    if target.code:
        chosen &= events["code"] == target.code
    if not chosen.any():
        return _none().copy()
    rows = events[chosen].sort_values(["machine", "time"], kind="stable")
    begin = rows["time"].astype("datetime64[us, UTC]")
    end = rows["end"].astype("datetime64[us, UTC]").fillna(begin)
    rows = pd.DataFrame(
        {
            "machine": rows["machine"].astype(object),
            "begin": begin,
            "end": end.where(end >= begin, begin),
            "components": rows["component"].astype(object),
            "codes": rows["code"].astype(object),
        }
    )
    merged = _merged(rows)
    merged.insert(3, "until", merged["begin" if target.kind == "failure" else "end"])
    return merged


@lru_cache(maxsize=1)
def _none() -> pd.DataFrame:
    """Return the table of no events, which a round asks for again and again."""
    kinds = dict.fromkeys(TARGET_COLUMNS, "object") | dict.fromkeys(("begin", "end", "until"), "datetime64[us, UTC]")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    latest = instants(rows.groupby("machine", sort=False)["end"].cummax())
    machine, begin = rows["machine"].to_numpy(), instants(rows["begin"])
    same = (machine[1:] == machine[:-1]) & (begin[1:] <= latest[:-1])
    number = np.concatenate([[0], np.cumsum(~same)])
    return (
        rows.groupby(number)
        .agg({"machine": "first", "begin": "first", "end": "max", "components": _names, "codes": _names})
        .reset_index(drop=True)
    )


def _names(given: "pd.Series[str]") -> tuple[str, ...]:
    return tuple(sorted({name for name in given if name}))


def label(table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, known_until: datetime) -> NDArray[np.int8]:
    """Say of each row whether an event begins within the horizon after it.

    Nothing that happens after ``known_until`` is looked at, so a label other than −1 never changes
    when the future becomes known. Rows before an event are told as soon as it comes, to learn from; to
    judge by, take only those of which ``models.moment.is_over`` holds.

    Parameters
    ----------
    targets : table of ``target_events``
    known_until : up to when (inclusive) all events are known

    Returns
    -------
    int8 array of shape (n_rows,)
        1: an event begins in (t, t + horizon] and is known. 0: none does, and all of that span is
        known. −1: not known yet, or t lies inside an event that lasts.
    """
    known, ahead = instant(known_until), span(horizon)
    labels = np.where(is_over(table.time, horizon, known), 0, -1).astype(np.int8)
    events = targets[instants(targets["begin"]) <= known]
    rows = machine_rows(table.machine)
    for machine, group in by_machine(events).items():
        if machine not in rows:
            continue
        mine = rows[machine]
        time, begin, end = table.time[mine], instants(group["begin"]), instants(group["end"])
        following = np.searchsorted(begin, time, side="right")
        soon = following < len(begin)
        soon[soon] = begin[following[soon]] <= time[soon] + ahead
        last = np.maximum(following - 1, 0)
        inside = (following > 0) & (end[last] > begin[last]) & (time <= end[last])
        labels[mine][soon] = 1
        labels[mine][inside] = -1
    labels[table.time > known] = -1
    return labels


def healthy(table: FeatureTable, targets: pd.DataFrame, horizon: timedelta, known_until: datetime) -> NDArray[np.bool_]:
    """Say of each row whether it may serve as an example of normal behaviour.

    Wear often shows long before the horizon, and a detector that learnt it as normal would never report
    it. So the end of each run up to a known event is left out: ten horizons, but no more than
    the last third of the run, which begins at the machine's first row or at its event before.

    Parameters
    ----------
    targets : table of ``target_events``
    known_until : up to when (inclusive) all events are known

    Returns
    -------
    bool array of shape (n_rows,)
    """
    # No proof is needed that the last hours were healthy, only that nothing is known against them.
    chosen = label(table, targets, horizon, known_until + horizon) == 0
    events = targets[instants(targets["begin"]) <= instant(known_until)]
    rows = machine_rows(table.machine)
    for machine, group in by_machine(events).items():
        if machine not in rows:
            continue
        mine = rows[machine]
        time, begin = table.time[mine], instants(group["begin"])
        start = np.concatenate([time[:1], instants(group["end"])[:-1]])
        worn = np.minimum(span(horizon) * WEAR_HORIZONS, (begin - start) // WEAR_SHARE_OF_RUN)
        following = np.searchsorted(begin, time, side="left")
        before = following < len(begin)
        chosen[mine][before] &= time[before] <= (begin - worn)[following[before]]
    return chosen


def require_both(labels: NDArray[np.int8]) -> None:
    """Refuse to learn a risk where one of the two things that it tells apart is missing.

    Raises
    ------
    NotEnoughDataError
        When no row, or every row, lies within the horizon of an event.
    """
    if not (labels == 1).any() or not (labels == 0).any():
        raise NotEnoughDataError(
            "a failure risk is learnt from time before failures and time without; this history has only one of"
            " them: use task = 'anomaly', which needs no failures"
        )
