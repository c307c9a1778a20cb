"""The health of sensors while each machine's own normal was read: every later row is compared with that."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from features.catalogue import BY_NAME
from features.recipe import Recipe
from ingest.history import History
from ingest.plant import MachineClass
from models.sensors.fortnight import WEEK, week_of
from models.sensors.health import APART, Health, sensor_health

_SEEN_WITHIN = timedelta(days=1)
"""A reading may be doubted for a fault that is seen up to so long after it."""


def normal_ends(recipe: Recipe, history: History, machines: Sequence[str]) -> dict[str, datetime]:
    """Return until when each machine's own normal is read; none where the recipe compares nothing with it."""
    if recipe.baseline is None or not any(BY_NAME[name].kind == "baseline" for name in recipe.features):
        return {}
    spans = history.spans(recipe.machine_class)
    return {name: spans[name][0] + recipe.baseline for name in machines if name in spans}


def normal_health(
    recipe: Recipe, machine_class: MachineClass, history: History, ends: Mapping[str, datetime], end: datetime
) -> dict[str, Health]:
    """Return the health of sensors from each machine's first reading until all is known of its own normal.

    Parameters
    ----------
    ends : until when each machine's own normal is read
    end : no later hour is looked at
    """
    begun = recipe.baseline or timedelta(0)
    together: dict[tuple[datetime, datetime], list[str]] = defaultdict(list)
    for name, until in ends.items():
        together[week_of(until - begun), week_of(until + _SEEN_WITHIN) + WEEK].append(name)
    found = {}
    for (first, until), names in together.items():
        found.update(_until_none_is_apart(history, machine_class, names, first, until, end))
    return found


def _until_none_is_apart(
    history: History,
    machine_class: MachineClass,
    machines: Sequence[str],
    first: datetime,
    until: datetime,
    end: datetime,
) -> dict[str, Health]:
    """Return the health in (first, until], and on by weeks: of a signal that is apart, only its way back tells."""
    found = sensor_health(history, machine_class, machines, first, max(first, min(until, end)))
    apart = [name for name, each in found.items() if (each.fault[:, -1:] == APART).any()]
    if apart and until < end:
        found.update(_until_none_is_apart(history, machine_class, apart, first, until + WEEK, end))
    return found
