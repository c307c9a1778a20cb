"""The tasks that a plant file can ask for; a new one is a row here and a name in ``ModelEntry.task``."""

from typing import Final

from ingest.plant import ModelEntry
from models.tasks.anomaly import Anomaly
from models.tasks.condition import Condition
from models.tasks.failure_risk import RiskOfFailure
from models.tasks.remaining_life import LifeThatRemains
from models.tasks.task import Task

TASKS: Final[dict[str, Task]] = {
    "failure_risk": RiskOfFailure(),
    "anomaly": Anomaly(),
    "remaining_life": LifeThatRemains(),
    "condition": Condition(),
}


def task_of(entry: ModelEntry) -> Task:
    """Return what an entry of the plant file asks for.

    Examples
    --------
    >>> task_of(ModelEntry(name="m", task="anomaly", machine_class="pump", horizon="7 d")).kind
    'anomaly'
    """
    return TASKS[entry.task]
