"""When a run of assessments becomes an alert, and when it is over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.plant import AlertSettings
from models.assessment import Assessments
from models.moment import instants
from models.rows import by_machine, machine_rows


@dataclass(frozen=True, slots=True)
class Condition:
    """What is remembered of one machine between two assessments.

    Attributes
    ----------
    flags : whether each of the last m values was over the threshold, oldest first
    clean : how many values in a row were below it, while active
    """

    active: bool = False
    flags: tuple[bool, ...] = ()
    clean: int = 0


START = Condition()
"""A machine of which nothing is known yet, and a machine just after a failure."""


def step(condition: Condition, over: bool | None, settings: AlertSettings) -> Condition:
    """Return the condition after one more assessment.

    It becomes active at a value over the threshold that makes n of the last m, and is over after
    ``off_delay`` values in a row below it. An assessment without a value (``None``) changes nothing:
    a silent sensor neither raises nor ends an alert. After a failure begin again from ``START``: a
    repaired machine is a new one.

    Examples
    --------
    >>> settings = AlertSettings(on_delay=(2, 3), off_delay=2)
    >>> condition, active = START, []
    >>> for over in (True, False, True, None, False, False):
    ...     condition = step(condition, over, settings)
    ...     active.append(condition.active)
    >>> active
    [False, False, True, True, True, False]
    """
    if over is None:
        return condition
    needed, of = settings.on_delay
    flags = (*condition.flags, over)[-of:]
    if not condition.active:
        return Condition(over and sum(flags) >= needed, flags, 0)
    clean = 0 if over else condition.clean + 1
    return Condition(False, flags, 0) if clean >= settings.off_delay else Condition(True, flags, clean)


@dataclass(frozen=True, slots=True)
class Episode:
    """A time during which a condition was active on one machine: one alert.

    Attributes
    ----------
    begin : the window end at which it had persisted
    end : the window end at which it was over, or the failure that ended it; ``None`` while it lasts
    row : row of the assessments at ``begin``
    """

    machine: str
    begin: np.datetime64
    end: np.datetime64 | None
    row: int


def lives(machine: NDArray[Any], time: NDArray[np.datetime64], failures: pd.DataFrame | None) -> NDArray[np.intp]:
    """Number the stretches of rows that belong to one machine between two of its failures.

    Parameters
    ----------
    machine, time : arrays of shape (n,), sorted by (machine, time)
    failures : table with ``machine`` and ``begin`` (of ``target_events``); ``None`` for no failures

    Returns
    -------
    array of shape (n,), rising by one at each machine's first row and at its first row at or after
    each failure
    """
    fresh = np.zeros(len(time), dtype=bool)
    rows = machine_rows(machine)
    for mine in rows.values():
        fresh[mine.start] = True
    for name, failed in _moments(failures).items():
        if name in rows:
            mine = rows[name]
            after = mine.start + np.searchsorted(time[mine], failed, side="left")
            fresh[after[after < mine.stop]] = True
    return np.cumsum(fresh)


def active_rows(
    over: NDArray[np.bool_], life: NDArray[np.intp], settings: AlertSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where conditions begin and end: ``step`` over each life, all at once.

    Parameters
    ----------
    over : whether each value is over the threshold, shape (n,); only rows that have a value
    life : numbers of ``lives`` for the same rows

    Returns
    -------
    begin, end : arrays of shape (n_episodes,)
        Rows; ``end`` is −1 where the episode is still active at the end of its life.

    Notes
    -----
    Only rows over the threshold are looked at. A gap of ``off_delay`` rows between two of them
    leaves the machine quiet whatever it was before, so each stretch between such gaps holds one
    episode at most, which begins at the first row that makes n of the last m.
    """
    needed, of = max(settings.on_delay[0], 1), settings.on_delay[1]
    rows = np.flatnonzero(over)
    own = life[rows]
    quiet = (np.diff(rows) > settings.off_delay) | (own[1:] != own[:-1])
    stretch = np.concatenate([[0], np.cumsum(quiet)]) if len(rows) else np.empty(0, dtype=np.intp)
    trigger = np.arange(needed - 1, len(rows))
    first = trigger - (needed - 1)
    trigger = trigger[(rows[trigger] - rows[first] < of) & (own[trigger] == own[first])]
    _, at = np.unique(stretch[trigger], return_index=True)
    begin = trigger[at]
    final = np.searchsorted(stretch, stretch[begin], side="right") - 1
    end = rows[final] + settings.off_delay
    lasting = end >= len(over)
    lasting[~lasting] = life[end[~lasting]] != own[begin[~lasting]]
    return rows[begin], np.where(lasting, -1, end)


def episodes(assessments: Assessments, settings: AlertSettings, failures: pd.DataFrame | None = None) -> list[Episode]:
    """Return every time that a condition was active, sorted by (machine, begin).

    Parameters
    ----------
    failures : table with ``machine`` and ``begin``, the machines' failures of any component
        An episode that is still active at a failure ends with it, and counting begins anew.
    """
    valued = np.flatnonzero(~np.isnan(assessments.level))
    machine, time = assessments.machine[valued], assessments.time[valued]
    life = lives(machine, time, failures)
    begin, end = active_rows(assessments.over[valued], life, settings)
    failed = _moments(failures)
    found = []
    for first, last in zip(begin, end, strict=True):
        name = str(machine[first])
        over_at = time[last] if last >= 0 else _first_after(failed.get(name), time[first])
        found.append(Episode(name, time[first], over_at, int(valued[first])))
    return found


def _moments(failures: pd.DataFrame | None) -> dict[str, NDArray[np.datetime64]]:
    groups = {} if failures is None else by_machine(failures)
    return {machine: instants(group["begin"]) for machine, group in groups.items()}


def _first_after(moments: NDArray[np.datetime64] | None, time: np.datetime64) -> np.datetime64 | None:
    if moments is None:
        return None
    at = np.searchsorted(moments, time, side="right")
    return moments[at] if at < len(moments) else None
