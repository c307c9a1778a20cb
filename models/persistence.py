"""When a run of assessments becomes an alert, and when it is over."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.duration import format_duration
from ingest.plant import AlertSettings
from models.assessment import Assessments
from models.moment import instants
from models.rows import by_machine, machine_rows


class Phase(StrEnum):
    """Where a condition stands between nothing and an alert."""

    QUIET = "quiet"
    """No window of the last m is over the threshold."""
    PENDING = "pending"
    """Some are, and fewer than raise an alert."""
    ACTIVE = "active"
    """It lasts."""
    RECOVERING = "recovering"
    """It lasts, and the newest windows are below; it is over when so many are in a row, long enough."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is remembered of one machine between two assessments.

    Attributes
    ----------
    flags : whether each of the last m values was over the threshold, oldest first
    clean : how many values in a row were below it, while active
    met : window end of the newest value that was not below, while active, in microseconds since 1970 UTC; ``None``
        where nobody told the time
    """

    active: bool = False
    flags: tuple[bool, ...] = ()
    clean: int = 0
    met: int | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        if self.active:
            return Phase.RECOVERING if self.clean else Phase.ACTIVE
        return Phase.PENDING if any(self.flags) else Phase.QUIET

    def words(self, settings: AlertSettings) -> str:
        """Return what is missing for the next step, in words; empty where none is under way.

        Examples
        --------
        >>> Condition(False, (False, True), 0).words(AlertSettings())
        '1 of the last 3 windows is over the threshold; 2 raise an alert'
        """
        needed, of = settings.on_delay
        match self.phase:
            case Phase.PENDING:
                over = sum(self.flags)
                verb = "is" if over == 1 else "are"
                return f"{over} of the last {of} windows {verb} over the threshold; {needed} raise an alert"
            case Phase.RECOVERING:
                kept = settings.keep_firing
                least = f", and {format_duration(kept)} after the last that was not" if kept else ""
                windows = "window" if self.clean == 1 else "windows"
                return f"{self.clean} {windows} in a row below; over after {settings.off_delay}{least}"
            case _:
                return ""


START = Condition()
"""A machine of which nothing is known yet, and a machine just after a failure."""


def step(
    condition: Condition,
    over: bool | None,
    settings: AlertSettings,
    *,
    standing: bool = False,
    at: int | None = None,
) -> Condition:
    """Return the condition after one more assessment.

    It becomes active at a value over the threshold that makes n of the last m. It is over after ``off_delay`` values in
    a row below the threshold and its dead band, at the earliest ``keep_firing`` after the newest that was not. An
    assessment without a value (``None``) changes nothing:
    a silent sensor neither raises nor ends an alert. After a failure begin again from ``START``: a
    repaired machine is a new one.

    Parameters
    ----------
    standing : whether the value is at least in the dead band, so that it holds up what is active
    at : window end in microseconds since 1970 UTC; without it nothing is kept firing

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
        begins = over and sum(flags) >= needed
        return Condition(begins, flags, 0, at if begins else None)
    if over or standing:
        return Condition(True, flags, 0, at)
    clean = condition.clean + 1
    kept = settings.keep_firing // timedelta(microseconds=1)
    lately = at is not None and condition.met is not None and at - condition.met < kept
    if clean < settings.off_delay or lately:
        return Condition(True, flags, clean, condition.met)
    return Condition(False, flags, 0)


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
    over: NDArray[np.bool_],
    life: NDArray[np.intp],
    settings: AlertSettings,
    *,
    standing: NDArray[np.bool_] | None = None,
    time: NDArray[np.datetime64] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where conditions begin and end: ``step`` over each life, all at once.

    Parameters
    ----------
    over : whether each value is over the threshold, shape (n,); only rows that have a value
    life : numbers of ``lives`` for the same rows
    standing : whether each value is at least in the dead band, shape (n,); those that are over when left out
    time : window ends, shape (n,); without them nothing is kept firing

    Returns
    -------
    begin, end : arrays of shape (n_episodes,)
        Rows; ``end`` is −1 where the episode is still active at the end of its life.

    Notes
    -----
    Only rows that hold up what is active are looked at. Where the row that would end an episode lies before the next of
    them, the machine is quiet whatever it was before, so each stretch between such gaps holds one
    episode at most, which begins at the first row that makes n of the last m.
    """
    needed, of = max(settings.on_delay[0], 1), settings.on_delay[1]
    rows = np.flatnonzero(over)
    holding = rows if standing is None else np.flatnonzero(over | standing)
    ends = _ends(holding, life, settings, time)
    lasting = ends >= len(over)
    lasting[~lasting] = life[ends[~lasting]] != life[holding[~lasting]]
    quiet = (ends[:-1] < holding[1:]) | (life[holding[1:]] != life[holding[:-1]])
    stretch = np.concatenate([[0], np.cumsum(quiet)]) if len(holding) else np.empty(0, dtype=np.intp)
    trigger = np.arange(needed - 1, len(rows))
    first = trigger - (needed - 1)
    trigger = trigger[(rows[trigger] - rows[first] < of) & (life[rows[trigger]] == life[rows[first]])]
    of_stretch = stretch[np.searchsorted(holding, rows[trigger])]
    found, at = np.unique(of_stretch, return_index=True)
    final = np.searchsorted(stretch, found, side="right") - 1
    return rows[trigger[at]], np.where(lasting[final], -1, ends[final])


def _ends(
    holding: NDArray[np.intp], life: NDArray[np.intp], settings: AlertSettings, time: NDArray[np.datetime64] | None
) -> NDArray[np.intp]:
    """Return the row at which what each row holds up is over, if none after it does; past its life if it is not."""
    ends = holding + settings.off_delay
    if time is None or not settings.keep_firing or not len(holding):
        return ends
    kept = np.timedelta64(settings.keep_firing // timedelta(microseconds=1), "us")
    until = time[holding] + kept
    fresh = np.flatnonzero(np.diff(life, prepend=life[:1] - 1))
    for begin, end in zip(fresh, [*fresh[1:], len(life)], strict=True):
        mine = slice(*np.searchsorted(holding, [begin, end]))
        late_enough = begin + np.searchsorted(time[begin:end], until[mine], side="left")
        ends[mine] = np.maximum(ends[mine], late_enough)
    return ends


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
    standing = assessments.standing(settings.dead_band)[valued]
    begin, end = active_rows(assessments.over[valued], life, settings, standing=standing, time=time)
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
