"""Where the time and the pieces of some machines of a plant went, read from its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from features.microsecond import moment
from features.production.inferred import Inferred, inferred
from features.production.ledger import COLUMNS, FAILURES, REASONS, Ledger, ledger_of
from features.production.told import KINDS, Told, told_of
from ingest.history import History
from ingest.plant import Plant

LOOK_BACK = timedelta(days=31)
"""How long before the start something may have begun that lasts into the span; a state may have begun at any time."""
_COUNTS_BACK = timedelta(days=1)
_SHOWN = 5
_LASTING = tuple(each for each in KINDS if each not in ("state", "count"))


@dataclass(frozen=True, slots=True)
class PlantLedger:
    """The ledgers of some machines, one below the other.

    Attributes
    ----------
    table, reasons, failures : as those of a ``Ledger``
    uncounted : machines that count no pieces
    inferred : of machines that report no states: how it is known when they ran
    remarks : what a person should know before believing it, a sentence each
    """

    table: pd.DataFrame
    reasons: pd.DataFrame
    failures: pd.DataFrame
    uncounted: tuple[str, ...]
    inferred: dict[str, Inferred]
    remarks: tuple[str, ...]


def plant_ledger(
    plant: Plant, history: History, machines: Sequence[str], start: datetime, stop: datetime
) -> PlantLedger:
    """Return where the time of machines in [start, stop) went, and what they made in (start, stop].

    Machines are looked at one after the other, so that memory holds the events of one of them. What becomes known
    only after ``stop`` is looked at as far as it says how long a stop was that is shorter than a minor one.

    Parameters
    ----------
    start, stop : with a time zone, start < stop
    """
    ledgers, found, remarks = [], {}, []
    for machine in machines:
        told, how = read_told(plant, history, machine, start, stop)
        ledger = ledger_of(plant, machine, told, moment(start), moment(stop))
        ledgers.append(ledger)
        if how is not None:
            found[machine] = how
        remarks += _remarks(machine, told, ledger)
    if ledgers and not any(each.declared for each in ledgers):
        remarks.insert(0, "No shifts are declared, so all time counts as planned; declare [[shifts]].")
    return PlantLedger(
        table=_below([each.table for each in ledgers], COLUMNS),
        reasons=_below([each.reasons for each in ledgers], REASONS),
        failures=_below([each.failures for each in ledgers], FAILURES),
        uncounted=tuple(name for name, each in zip(machines, ledgers, strict=True) if not each.counted),
        inferred=found,
        remarks=tuple(remarks),
    )


def read_told(
    plant: Plant, history: History, machine: str, start: datetime, stop: datetime
) -> tuple[Told, Inferred | None]:
    """Return what is known of a machine's production around a span.

    Returns
    -------
    what is known, and where the machine reports no states what its signals say instead, if they say anything
    """
    end = stop + plant.production.minor_stop
    states = history.states([machine], start - _COUNTS_BACK, end)
    lasting = history.events(machines=[machine], kinds=_LASTING, start=start - LOOK_BACK, end=end)
    counts = history.events(machines=[machine], kinds=["count"], start=start - _COUNTS_BACK, end=end)
    events = pd.concat([each for each in (states, lasting, counts) if len(each)] or [states])
    how = None
    if states.empty:
        how = inferred(history, plant.class_of(machine), machine, moment(start - _COUNTS_BACK), moment(end))
    told = told_of(plant, machine, events, moment(end), [] if how is None else [how.stretches])
    return told, how


def _below(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [each for each in frames if len(each)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _remarks(machine: str, told: Told, ledger: Ledger) -> list[str]:
    said = []
    unknown = ledger.reasons[(ledger.reasons["bucket"] == "unknown") & (ledger.reasons["reason"] != "")]
    words = unknown.sort_values("time", ascending=False)
    if len(words):
        shown = ", ".join(
            f"{word!r} ({time / 3.6e9:.1f} h)"
            for word, time in zip(words["reason"][:_SHOWN], words["time"], strict=False)
        )
        said.append(f"{machine}: no meaning is declared for {shown}; add it to production.words.")
    if told.endless:
        said.append(
            f"{machine}: {told.endless:,} failures or works have no end, so they take no time beyond what states tell."
        )
    if told.unread:
        said.append(
            f"{machine}: {told.unread:,} counts are not read: a code other than good, scrap, rework, or no number."
        )
    off_plan = float(ledger.table["off_plan_pieces"].sum())
    if off_plan:
        said.append(f"{machine}: {off_plan:,.0f} pieces were counted outside planned time, and are in no OEE.")
    return said
