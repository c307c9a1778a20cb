"""The pipeline: group, inhibit, suppress, shelve, budget, route, repeat, escalate."""

from collections.abc import Sequence
from dataclasses import replace

from service.alerts.pipeline.budget import budget
from service.alerts.pipeline.call import Call, Sieved, Stage
from service.alerts.pipeline.escalate import escalate
from service.alerts.pipeline.group import group
from service.alerts.pipeline.inhibit import inhibit
from service.alerts.pipeline.repeat import repeat
from service.alerts.pipeline.route import route
from service.alerts.pipeline.scene import Scene
from service.alerts.pipeline.shelve import shelve
from service.alerts.pipeline.suppress import suppress

STAGES: tuple[Stage, ...] = (group, inhibit, suppress, shelve, budget, route, repeat, escalate)
NAMES: tuple[str, ...] = tuple(stage.__name__ for stage in STAGES)


def sieve(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Pass calls through all stages: what is left is told, and the rest has a stage and a reason."""
    result = Sieved(list(calls))
    for name, stage in zip(NAMES, STAGES, strict=True):
        if not result.passed:
            break
        sieved = stage(result.passed, scene)
        result.passed = sieved.passed
        result.held += [replace(each, stage=name) for each in sieved.held]
    return result
