"""Jobs: what runs when, and running one now."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ingest.duration import format_duration
from ingest.errors import ScheduleError, UnknownNameError
from ingest.plant import Job
from service.api.given import Now, Room, nearest
from service.api.paging import Limit, Offset, Page, cut
from service.api.runs import RunView
from service.control_room import ControlRoom
from service.jobs import ledger, planning
from service.jobs.ledger import RunState
from service.jobs.schedule import next_slot

router = APIRouter(tags=["jobs"])
_BEGUN = tuple(state for state in RunState if state is not RunState.WAITING)


class JobView(BaseModel):
    """One job of the plant file."""

    name: str
    action: Literal["ingest", "score", "losses", "train", "report", "clean"]
    cron: str | None = Field(description="In the plant's local time.")
    every: str | None
    models: list[str] = Field(description="Models it concerns; all when empty.")
    next_slot: datetime | None = Field(description="When it runs next; null if it never does by itself.")
    last_run: RunView | None


class JobPage(Page):
    """Some jobs."""

    items: list[JobView]


@router.get("/jobs")
def list_jobs(request: Request, room: Room, now: Now, limit: Limit = 100, offset: Offset = 0) -> JobPage:
    """Return the jobs of the plant file, with their next slot and their last run."""
    jobs, next_page = cut(request, room.plant.jobs, limit, offset)
    return JobPage(items=[job_view(each, room, now) for each in jobs], next=next_page)


@router.post("/jobs/{job:path}/run", status_code=202)
def run_now(job: str, room: Room, now: Now) -> RunView:
    """Enter a run of a job into the ledger for this moment; the next free worker takes it.

    Its progress can be seen at ``/api/v1/runs/{id}``. Where a run of the job is entered for the very
    same moment already, that one is returned.
    """
    return RunView.model_validate(enter_run(room, job, now))


def enter_run(room: ControlRoom, name: str, now: datetime) -> ledger.Run:
    """Enter a run by hand.

    Raises
    ------
    UnknownNameError
        If the plant file has no such job.
    """
    jobs = {each.name: each for each in room.plant.jobs}
    if name not in jobs:
        raise UnknownNameError(f"no job {name!r}{nearest(name, list(jobs))}")
    with room.state.write() as connection:
        return planning.run_now(connection, jobs[name], at=now)


def job_view(job: Job, room: ControlRoom, now: datetime) -> JobView:
    """Show a job."""
    with room.state.read() as connection:
        begun = ledger.list_runs(connection, job=job.name, states=_BEGUN, limit=1)
    try:
        slot = next_slot(job, room.plant.zone, now)
    except ScheduleError:
        slot = None
    return JobView(
        name=job.name,
        action=job.action,
        cron=job.cron,
        every=None if job.every is None else format_duration(job.every),
        models=list(job.models),
        next_slot=slot,
        last_run=RunView.model_validate(begun[0]) if begun else None,
    )
