"""Feature tables of many machines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.history import History
from ingest.plant import MachineClass
from models.believed import BelievedTable, believed_table
from models.engine.engine import Engine
from models.engine.groups import groups
from models.engine.work import WorkUnit


def table_anywhere(
    engine: Engine,
    recipe: Recipe,
    machine_class: MachineClass,
    history: History,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> BelievedTable:
    """Return what ``believed_table`` returns, byte for byte, made of groups of machines.

    Raises
    ------
    LostWorkError
        When a group of machines ends its worker again and again: nothing is learnt from a part of them.
    """
    spans = history.spans(machine_class.name)
    names = [name for name in sorted(set(machines)) if name in spans]
    parts = groups(names, engine.workers, most=max(1, len(names)))
    if len(parts) < 2:
        return believed_table(recipe, machine_class, history, machines, start, end)
    units = [
        WorkUnit(f"features of {part[0]} to {part[-1]}, to {end:%Y-%m-%d %H:%M}", (part, start, end)) for part in parts
    ]
    found = [each.value() for each in engine.run(believed_table, units, (recipe, machine_class, history))]
    return BelievedTable(
        _joined([each.table for each in found]),
        {name: own for each in found for name, own in each.health.items()},
    )


def _joined(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Return tables of one recipe below each other; what one of them has, all of them have."""
    first = tables[0]
    whole = replace(
        first,
        machine=np.concatenate([each.machine for each in tables]),
        time=np.concatenate([each.time for each in tables]),
        values=np.concatenate([each.values for each in tables]),
        filled=np.concatenate([each.filled for each in tables]),
        off=None if first.off is None else np.concatenate([each.off for each in tables]),
        filled_by_signal=None
        if first.filled_by_signal is None
        else np.concatenate([each.filled_by_signal for each in tables]),
        beside=None,
    )
    return replace(whole, beside=whole)
