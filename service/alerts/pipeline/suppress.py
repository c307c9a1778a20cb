"""Suppress: alerts of machines that are maintained, stand, start, or were taken out of service."""

from collections.abc import Sequence

from service.alerts.mute import MuteKind
from service.alerts.pipeline.call import Call, Reason, Sieved
from service.alerts.pipeline.muted import held_by_mutes
from service.alerts.pipeline.scene import Scene

_REASONS = {MuteKind.OUT_OF_SERVICE: Reason.OUT_OF_SERVICE, MuteKind.SUPPRESSED: Reason.SUPPRESSED}


def suppress(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold back what is suppressed or out of service."""
    return held_by_mutes(calls, _REASONS)
