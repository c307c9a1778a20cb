"""Whether recorded failures can be learnt from: what people enter is the truth that a model believes.

Each check has little to say about a clean set of records: where chance could make a pattern, it speaks
only if that would happen less than once in a million such sets.
"""

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd

from features.sampling import sampling_interval
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass, Plant
from models.labels.codes import unknown_codes
from models.labels.copies import copied
from models.labels.planned import planned
from models.labels.problem import Failures, LabelProblem
from models.labels.readings import ran_on, without_readings
from models.labels.times import entered_late, overlaps, repeated

_OF_RECORDS = (overlaps, repeated, entered_late, copied, planned, unknown_codes)
_OF_READINGS = (without_readings, ran_on)


def check_labels(plant: Plant, history: History, machine_class: MachineClass) -> list[LabelProblem]:
    """Return what is suspicious about the failures of a class, as far as the history goes."""
    machines = plant.machines_of(machine_class.name)
    events = history.events(machines=machines, kinds=["failure", "maintenance", "inspection"])
    failures = Failures(
        machine_class.name,
        _sorted(events, ["failure"]),
        _sorted(events, ["maintenance", "inspection"]),
        plant.zone,
        _every(history, machine_class),
        [each.code for each in plant.failure_codes],
    )
    if not len(failures):
        return []
    of_records = [found for check in _OF_RECORDS for found in check(failures)]
    return of_records + [found for look in _OF_READINGS for found in look(failures, machine_class, history)]


def _every(history: History, machine_class: MachineClass) -> timedelta:
    try:
        return sampling_interval(history, machine_class)
    except NotEnoughDataError:
        return timedelta(0)


def _sorted(events: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    chosen = events[events["kind"].isin(kinds)]
    return chosen.sort_values(["machine", "time"], kind="stable", ignore_index=True)
