"""Floor: what is almost never right calls nobody; it is told in the digest, as long as it is so."""

from collections.abc import Sequence
from datetime import timedelta

from service.alerts.pipeline.call import Call, Held, Reason, Sieved
from service.alerts.pipeline.scene import Scene
from service.alerts.severity import Severity

LOOK_AGAIN = timedelta(hours=6)
"""How often it is asked whether verdicts on other alerts have brought its kind back."""


def floor(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Hold back new calls of models and kinds below the floor; what is critical passes all the same."""
    sieved = Sieved()
    for each in calls:
        said = scene.below.get((each.alert.model, each.alert.kind))
        if said is None or each.kept.first is not None or each.worth.severity is Severity.CRITICAL:
            sieved.passed.append(each)
        else:
            moments = [scene.now + LOOK_AGAIN, *filter(None, [each.worth.critical_from])]
            sieved.held.append(Held(each, Reason.BELOW_FLOOR, said, min(moments)))
    return sieved
