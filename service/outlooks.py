"""Outlooks: what the models say of one machine beyond the level that alerts are raised by."""

from collections.abc import Iterable

from ingest.errors import AndonError
from models.risk.outlook import Outlook, outlook
from service.control_room import ControlRoom
from service.levels import Level


def outlooks(room: ControlRoom, said: Iterable[Level]) -> list[Outlook]:
    """Return the outlook of each model that has one, worked out anew from the readings of its newest window.

    Parameters
    ----------
    said : newest levels of one machine
    """
    found = []
    for level in said:
        if level.level is None:
            continue
        try:
            bundle = room.registry.load(level.model, level.version)
            one = outlook(room.plant, room.store, bundle, level.machine, level.time, level.level)
        except AndonError:  # a version that was removed or damaged has no outlook; its level stands
            continue
        if one is not None:
            found.append(one)
    return found
