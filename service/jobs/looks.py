"""When the plant's jobs look at machines: a model that is asked once a day raises its alerts once a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.history import History
from ingest.plant import ModelEntry, Plant
from service.jobs.schedule import slots

_MOST = 1_000_000
_OFTEN = timedelta(minutes=90)
"""How often windows are taken to end where the entry does not say."""


def looks_of(plant: Plant, history: History, entry: ModelEntry) -> Sequence[datetime] | None:
    """Return the moments at which jobs would have asked a model, over its history.

    ``None`` where no job asks it, or one asks it about as often as its windows end: that sees every alert.
    """
    jobs = [job for job in plant.jobs if job.action == "score" and (not job.models or entry.name in job.models)]
    spans = history.spans(entry.machine_class)
    if not jobs or not spans:
        return None
    first, newest = min(begin for begin, _ in spans.values()), max(end for _, end in spans.values())
    found: set[datetime] = set()
    for job in jobs:
        for slot in slots(job, plant.zone, first, newest):
            found.add(slot)
            if len(found) > _MOST:
                return None
    moments = sorted(found)
    if len(moments) < 2 or (moments[-1] - moments[0]) / (len(moments) - 1) <= (entry.stride or _OFTEN):
        return None
    return moments
