"""An attempt: do the work of a claimed run behind the fence, and turn whatever happens into an outcome."""

import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ingest.errors import AndonError
from service.control_room import ControlRoom
from service.jobs.action import Action, Work
from service.jobs.fence import Fenced
from service.jobs.run import Outcome, Run, RunState


def attempt(room: ControlRoom, run: Run, now: datetime, actions: Mapping[str, Action]) -> Outcome:
    """Do the work of a run; errors become the outcome ``failed``."""
    job = next((each for each in room.plant.jobs if each.name == run.job), None)
    if job is None:
        return Outcome(state=RunState.FAILED, summary=f"the plant file has no job {run.job!r} any more")
    fenced = replace(room, state=Fenced(room.state, run))
    try:
        return actions[job.action](Work(room=fenced, job=job, run=run, now=now))
    except AndonError as error:
        return Outcome(state=RunState.FAILED, summary=str(error).splitlines()[0], log=str(error))
    except Exception as error:  # a mistake of ours must not stop the jobs that come after
        line = traceback.format_exception_only(error)[-1].strip()
        return Outcome(state=RunState.FAILED, summary=line.splitlines()[0], log=traceback.format_exc())
