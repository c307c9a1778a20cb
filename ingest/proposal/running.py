"""When machines run, told by a signal of their drive that stays at nothing while they stand still."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ingest.proposal.classes import ClassGuess
from ingest.proposal.column import SignalColumn, numbers
from ingest.proposal.holding import Holding
from ingest.proposal.machines import labels

_DRIVEN = re.compile(r"power|current|speed|rpm|rotation|torque|leistung|strom|drehzahl|geschwindigkeit", re.IGNORECASE)
_AT_REST, _RUNS = 0.02, 0.25
"""Shares of what is usual: up to the first a machine stands still, from the second on it runs."""

_LEAST, _MOST = 0.001, 0.8
"""Shares of the rows that stand still where there are stops at all, and still a machine that is used: in a plant of one
shift on five days it is 0.76."""

_BETWEEN = 0.05
"""Most of the rows that may lie between standing still and running, such as means over a start."""

_TURNED = 0.001
"""Most of the rows that may lie below nothing: a drive that turns both ways passes it while it runs."""


@dataclass(frozen=True, slots=True)
class RunningGuess:
    """An expression of the plant file that says when machines run, and why."""

    expression: str
    why: str


def guess_running(entry: ClassGuess) -> RunningGuess | None:
    """Return what says when the machines of a class run; ``None`` where nothing does, or they never stop."""
    found = (_guess(signal, holding) for signal, holding in entry.signals if _DRIVEN.search(signal.name))
    return next((each for each in found if each is not None), None)


def _guess(signal: SignalColumn, holding: Holding) -> RunningGuess | None:
    sample, table = holding.table.sample, holding.table
    values = numbers(sample, signal.column) if signal.column in sample.frame else None
    if values is None or not signal.name.isidentifier():
        return None
    known = values[np.isfinite(values)]
    often = float(np.quantile(known, 0.9))
    if often <= 0:
        return None
    usual = float(np.median(known[known >= _RUNS * often]))
    if np.mean(known < -_AT_REST * usual) > _TURNED:
        return None
    at_rest = np.abs(values) <= _AT_REST * usual
    share = float(at_rest.sum() / len(known))
    between = float(np.mean((known > _AT_REST * usual) & (known < _RUNS * usual)))
    # Single readings of nothing are a sensor's, not the machine's.
    machine = (
        labels(sample.frame, table.machine.columns) if table.machine.columns else pd.Series("", sample.frame.index)
    )
    before = pd.Series(at_rest, sample.frame.index).groupby([machine, sample.stretch]).shift(fill_value=False)
    lasts = 2 * int((at_rest & before.to_numpy(np.bool_)).sum()) > int(at_rest.sum())
    if not (_LEAST <= share <= _MOST and between <= min(_BETWEEN, share) and lasts):
        return None
    return RunningGuess(
        f"{signal.name} > {float(f'{_RUNS * usual:.1g}'):g}",
        f"{signal.name} stays at nothing for {share:.1%} of the rows, several in a row, and is about {usual:.3g} else",
    )
