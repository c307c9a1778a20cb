"""Shelve: what a person does not want to be told of for a while."""

from collections.abc import Sequence

from service.alerts.mute import MuteKind
from service.alerts.pipeline.call import Call, Reason, Sieved
from service.alerts.pipeline.muted import held_by_mutes
from service.alerts.pipeline.scene import Scene


def shelve(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold back what is shelved."""
    return held_by_mutes(calls, {MuteKind.SHELVED: Reason.SHELVED})
