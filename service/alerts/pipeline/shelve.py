"""Shelve: what a person does not want to be told of for a while, by its cause or by its labels."""

from collections.abc import Sequence

from service.alerts.mute import MuteKind
from service.alerts.pipeline.call import Call, Reason, Sieved
from service.alerts.pipeline.muted import held_by_mutes
from service.alerts.pipeline.scene import Scene

_REASONS = {MuteKind.SHELVED: Reason.SHELVED, MuteKind.SILENCED: Reason.SILENCED}


def shelve(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold back what is shelved or silenced."""
    return held_by_mutes(calls, _REASONS)
