"""A sensible first model for what the data can teach."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from ingest.proposal.classes import ClassGuess
from ingest.proposal.machines import labels
from ingest.proposal.table import NO_TIME, Table

FAILURES_NEEDED = 10
MACHINES_NEEDED = 5
_USUAL_HORIZON = {"failure_risk": timedelta(days=1), "anomaly": timedelta(days=7)}
_NICE = [
    *(timedelta(seconds=each) for each in (1, 2, 5, 10, 15, 20, 30)),
    *(timedelta(minutes=each) for each in (1, 2, 5, 10, 15, 20, 30)),
    *(timedelta(hours=each) for each in (1, 2, 3, 4, 6, 8, 12, 24)),
    *(timedelta(days=each) for each in (2, 3, 7, 14, 30)),
]


@dataclass(frozen=True)
class ModelGuess:
    """A model entry with its reasons."""

    task: str
    why_task: str
    horizon: timedelta
    why_horizon: str
    needed_lead: timedelta
    windows: tuple[timedelta, ...]
    target: tuple[str, str]
    by_machine: bool


def guess_model(entry: ClassGuess) -> ModelGuess:
    """Choose the task by the failures that are there, and the horizon by sampling and length of the history."""
    ends = any(holding.table.run_to_failure >= 0.5 for holding in entry.holdings)
    counts: Counter[str] = entry.events.get("failure", Counter())
    failures = sum(counts.values()) + (len(entry.machines) if ends else 0)
    machines = len(entry.machines) if ends else sum(1 for count in counts.values() if count)
    enough = failures >= FAILURES_NEEDED and machines >= MACHINES_NEEDED
    table = max((holding.table for holding in entry.holdings), key=lambda table: len(table.signals))
    every = table.every or timedelta(minutes=1)
    found = f"{failures} failures on {machines} machines" if failures else "no failure is known"
    too_few = f"{found}; learning from failures needs {FAILURES_NEEDED} on {MACHINES_NEEDED} machines"
    label = entry.label
    if label is not None and not enough:
        windows = tuple(dict.fromkeys(nice(every * count) for count in (10, 60)))
        why = f"column {label.column!r} marks strange times: an alert is right while one lasts"
        return ModelGuess(
            "anomaly", too_few, timedelta(0), why, timedelta(0), windows,
            ("state", label.code), by_machine=False,
        )  # fmt: skip
    history = _history(table)
    task = "failure_risk" if enough else "anomaly"
    usual = max(_USUAL_HORIZON[task], every * 24)
    horizon = max(nice(min(usual, history / 10)), nice(every * 5))
    why = f"a row each {roughly(every)}, about {roughly(history)} of history a machine; what time does a repair need?"
    if not enough:
        why += " an anomaly shows wear from its first sign on, which may be days before"
    what = found if enough else too_few
    lead = nice(horizon / 10) if horizon >= timedelta(seconds=20) else timedelta(0)
    return ModelGuess(task, what, horizon, why, lead if enough else timedelta(0), (), ("failure", ""), by_machine=ends)


def nice(span: timedelta) -> timedelta:
    """Return the longest round duration that is not longer; the shortest one if none is.

    Examples
    --------
    >>> nice(timedelta(minutes=100))
    datetime.timedelta(seconds=3600)
    """
    return max((each for each in _NICE if each <= span), default=_NICE[0])


def roughly(span: timedelta) -> str:
    """Write a span with a precision that people use.

    Examples
    --------
    >>> roughly(timedelta(days=89, hours=23)), roughly(timedelta(seconds=3.2))
    ('90 d', '3.2 s')
    """
    seconds = span.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.3g} s"


def _history(table: Table) -> timedelta:
    """Return how much time a machine's rows span in the sample, the middle one of all machines.

    Rows that are ahead of every clock are turned away when they are read; one of them is no year of history.
    """
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).timestamp() * 1e6
    known = table.ticks != NO_TIME
    past = known & (table.ticks < tomorrow)
    times = pd.Series(table.ticks[past if past.any() else known])
    spans = times.groupby(labels(table.sample.frame, table.machine.columns)).agg(lambda each: each.max() - each.min())
    middle = float(spans.median()) if len(spans) else 0.0
    return timedelta(seconds=round(middle / 1e6)) if np.isfinite(middle) else timedelta(0)
