"""Whether a table may be learnt from: what the linter of leaks finds of it, and a person's word on that."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from features.leakage import find_leaks
from features.leaks.leak import Leak, told
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.errors import LeakError
from ingest.plant import ModelEntry
from models.assess import reasons
from models.assessment import Reason
from models.labels.label import label, target_events
from models.tasks.table import task_of


def check_leaks(
    entry: ModelEntry, recipe: Recipe, table: FeatureTable, events: pd.DataFrame, known_until: datetime
) -> tuple[Leak, ...]:
    """Return the leaks of the rows that a model would learn from, with the labels and folds that it would have."""
    table = table.where(reasons(table, recipe.windows[0]) == Reason.OK.value)
    targets = target_events(events[events["time"] <= pd.Timestamp(known_until)], entry.target)
    targets = targets[targets["machine"].isin(set(table.machine))].reset_index(drop=True)
    labels = label(table, targets, entry.horizon, known_until)
    folds = task_of(entry).folds(entry, table, targets, known_until)
    return find_leaks(table, labels, targets, entry.horizon, folds)


def accepted(entry: ModelEntry, leaks: Sequence[Leak], reason: str, live: Mapping[str, Any] | None) -> str:
    """Return why a model may learn in spite of its leaks; empty when there are none that matter.

    A reason that was given for the live version holds on for the same columns and kinds, so that
    training on a schedule needs no person; anything new needs one.

    Parameters
    ----------
    reason : what a person says now; empty when nobody said anything
    live : card of the live version

    Raises
    ------
    LeakError
        When a leak of a refused kind was accepted neither now nor before.
    """
    refused = [leak for leak in leaks if leak.refused]
    if not refused:
        return ""
    if reason.strip():
        return reason.strip()
    before = (live or {}).get("leaks", {})
    known = {(leak["column"], leak["kind"]) for leak in before.get("found", ())}
    if before.get("accepted") and known >= {(leak.column, leak.kind) for leak in refused}:
        return str(before["accepted"])
    raise LeakError(
        f"model '{entry.name}' is not trained, because it would learn from the future: {'; also '.join(told(refused))}."
        " Name the signals to use in its [[models]] entry (signals = [...]), or, if this is honest, say why:"
        " andon train --accept-leaks REASON"
    )


def leaks_card(columns: int, leaks: Sequence[Leak], reason: str) -> dict[str, Any]:
    """Return the part of a card that says what was found, and why it was accepted."""
    return {"columns": columns, "found": [leak.to_dict() for leak in leaks], "accepted": reason}
