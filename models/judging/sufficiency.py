"""Whether there is enough evidence: what the failures in the training part allow to learn, and to claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ingest.duration import format_duration
from ingest.errors import NotEnoughDataError
from ingest.plant import ModelEntry
from models.judging.interval import wilson
from models.moment import instant, instants, span
from models.rows import by_machine
from models.tasks.table import task_of

ENOUGH_FAILURES = 10
ENOUGH_MACHINES = 5


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """How much evidence there is, and what may be said on it.

    Attributes
    ----------
    failures : independent ones: on one machine, those less than a horizon apart count once
    machines : machines that had one
    enough : whether a model on it may go live without a person's word
    claim : one sentence for the model card
    """

    failures: int
    machines: int
    enough: bool
    claim: str


def sufficiency(
    entry: ModelEntry,
    targets: pd.DataFrame,
    spans: Mapping[str, tuple[datetime, datetime]],
    known_until: datetime,
) -> Sufficiency:
    """Say whether there are enough failures for what the entry asks.

    A failure counts when it is known by then and its machine had readings within the horizon before
    it: without readings there is nothing to learn from it.

    Parameters
    ----------
    targets : table of ``target_events``
    spans : first and newest reading of each machine

    Raises
    ------
    NotEnoughDataError
        When the task needs failures and not a single one can be learnt from.
    """
    counts = _independent(entry.horizon, targets, spans, known_until)
    failures, machines = sum(counts.values()), len(counts)
    if not task_of(entry).needs_events:
        claim = "It learns from normal behaviour alone and claims nothing about failures that it was not judged on."
        return Sufficiency(failures, machines, True, claim)
    what = " ".join(filter(None, (entry.target.component, entry.target.kind, entry.target.code)))
    if not failures:
        raise NotEnoughDataError(
            f"model '{entry.name}': no {what} in the history of class '{entry.machine_class}' before"
            f" {known_until:%Y-%m-%d %H:%M}{_left_out(entry, targets)}, so there is nothing to learn"
            f" a {task_of(entry).words} from; write"
            f' task = "anomaly" in its [[models]] entry for the model that needs no failures'
        )
    if failures == 1:
        at_best = wilson(1, 1).percent()
        claim = (
            f"One {what} only: even if it is found, 1 of 1 is {at_best}; nothing can be claimed beyond that,"
            " and nothing was left to judge it on."
        )
        return Sufficiency(failures, machines, False, claim)
    if failures < ENOUGH_FAILURES or machines < ENOUGH_MACHINES:
        claim = (
            f"{failures} independent {what}s on {machines} machine{'s' if machines > 1 else ''}; from"
            f" {ENOUGH_FAILURES} on {ENOUGH_MACHINES} machines on a claim holds. Even if all are found,"
            f" {failures} of {failures} is {wilson(failures, failures).percent()}; a person must promote it."
        )
        return Sufficiency(failures, machines, False, claim)
    claim = f"{failures} independent {what}s on {machines} machines: enough to learn from."
    return Sufficiency(failures, machines, True, claim)


def _left_out(entry: ModelEntry, targets: pd.DataFrame) -> str:
    if targets.empty:
        return ""
    return (
        f" that its machine was read within {format_duration(entry.horizon)} before, and after its first reading"
        f" ({len(targets)} recorded: see whether their times and machines are right)"
    )


def _independent(
    horizon: timedelta,
    targets: pd.DataFrame,
    spans: Mapping[str, tuple[datetime, datetime]],
    known_until: datetime,
) -> dict[str, int]:
    """Count independent failures of each machine that had any."""
    counts = {}
    for machine, group in by_machine(targets).items():
        if machine not in spans:
            continue
        first, newest = (instant(moment) for moment in spans[machine])
        begin, end = instants(group["begin"]), instants(group["end"])
        seen = (begin > first) & (begin - span(horizon) <= newest) & (begin <= instant(known_until))
        begin, end = begin[seen], end[seen]
        if len(begin):
            counts[machine] = 1 + int(np.count_nonzero(begin[1:] - end[:-1] >= span(horizon)))
    return counts
