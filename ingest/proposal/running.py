"""When machines run, told by a signal of their drive that stays at nothing while they stand still."""

import re
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context

import pandas as pd

from ingest.proposal.classes import ClassGuess
from ingest.proposal.column import SignalColumn, numbers, texts
from ingest.proposal.machines import labels
from ingest.proposal.table import Table

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

_DOWN = Context(prec=1, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class RunningGuess:
    """An expression of the plant file that says when machines run, how sure that is, and why."""

    expression: str
    confidence: float
    why: str


def guess_running(entry: ClassGuess) -> RunningGuess | None:
    """Return what says when the machines of a class run; ``None`` where nothing does, or they never stop.

    It has to hold for each machine that is seen, so what is usual is that of the one that is driven least.
    """
    for signal, _ in entry.signals:
        if _DRIVEN.search(signal.name):
            tables = [each.table for each in entry.holdings if signal.name in {own.name for own in each.table.signals}]
            seen = pd.concat([_readings(signal, table, at) for at, table in enumerate(tables)], ignore_index=True)
            if (found := _guess(signal.name, seen, len(entry.machines))) is not None:
                return found
    return None


def _readings(signal: SignalColumn, table: Table, number: int) -> pd.DataFrame:
    """Return the known readings of a signal in the order of the file: machine, stretch of rows in a row, value."""
    sample = table.sample
    if table.signal_column is None or table.value_column is None:
        column = next(each.column for each in table.signals if each.name == signal.name)
        values, mine = numbers(sample, column), pd.Series(True, sample.frame.index)
    else:
        values, mine = numbers(sample, table.value_column), texts(sample, table.signal_column) == signal.name
    machine = labels(sample.frame, table.machine.columns)
    if not table.machine.columns:
        machine = machine + str(number)
    found = pd.DataFrame({"machine": machine, "stretch": 1000 * number + sample.stretch, "value": values})
    return found[found["value"].notna() & found["machine"].notna() & mine]


def _guess(name: str, seen: pd.DataFrame, machines: int) -> RunningGuess | None:
    value = seen["value"]
    often = value.groupby(seen["machine"]).quantile(0.9, interpolation="lower")
    # A machine at which it never is anything stands still for all that is known.
    driven = seen[value >= _RUNS * seen["machine"].map(often[often > 0])]
    if driven.empty:
        return None
    usual = float(driven.groupby("machine")["value"].quantile(0.5, interpolation="lower").min())
    least = float(_DOWN.create_decimal_from_float(_RUNS * usual))
    at_rest = value.abs() <= _AT_REST * usual
    between, turned = ((value > _AT_REST * usual) & (value <= least)).mean(), (value < -_AT_REST * usual).mean()
    # Single readings of nothing are a sensor's, not the machine's.
    before = at_rest.groupby([seen["machine"], seen["stretch"]]).shift(fill_value=False)
    lasts = 2 * (at_rest & before).sum() > at_rest.sum()
    share = float(at_rest.mean())
    if not (_LEAST <= share <= _MOST and between <= min(_BETWEEN, share) and turned <= _TURNED and lasts):
        return None
    known = seen["machine"].nunique()
    return RunningGuess(
        f"{name if name.isidentifier() else f'signal[{name!r}]'} > {least:g}",
        0.6 if known == machines else 0.4,
        f"{name} stays at nothing for {share:.1%} of the rows, several in a row, and is usually {usual:.3g} or more;"
        f" {known} of {machines} machines looked at",
    )
