"""Jobs: what runs when, and running one now."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from ingest.duration import format_duration
from ingest.errors import ScheduleError
from ingest.plant import Job
from ingest.plant_job import Action
from service.access.actor import told_by
from service.api.given import Now, Room, job_named
from service.api.paging import Limit, Offset, Page, cut
from service.api.runs import RunView
from service.audit.record import ANDON
from service.control_room import ControlRoom
from service.jobs import ledger, planning
from service.jobs.ledger import RunState
from service.jobs.pause import pauses
from service.jobs.schedule import next_slot

router = APIRouter(tags=["jobs"])
_BEGUN = tuple(state for state in RunState if state is not RunState.WAITING)


class PauseView(BaseModel):
    """Who paused a job, when and why."""

    model_config = ConfigDict(from_attributes=True)

    job: str
    since: datetime
    by: str
    why: str


class JobView(BaseModel):
    """One job of the plant file."""

    name: str
    action: Action
    cron: str | None = Field(description="In the plant's local time.")
    every: str | None
    models: list[str] = Field(description="Models it concerns; all when empty.")
    next_slot: datetime | None = Field(description="When it runs next; null if it never does by itself.")
    last_run: RunView | None
    paused: PauseView | None = Field(description="Null while its slots are begun.")


class JobPage(Page):
    """Some jobs."""

    items: list[JobView]


@router.get("/jobs")
def list_jobs(request: Request, room: Room, now: Now, limit: Limit = 100, offset: Offset = 0) -> JobPage:
    """Return the jobs of the plant file, with their next slot and their last run."""
    jobs, next_page = cut(request, room.plant.jobs, limit, offset)
    return JobPage(items=[job_view(each, room, now) for each in jobs], next=next_page)


def enter_run(room: ControlRoom, name: str, now: datetime) -> ledger.Run:
    """Enter a run by hand, for whoever is signed in.

    Raises
    ------
    UnknownNameError
        If the plant file has no such job.
    """
    job = job_named(room.plant, name)
    with room.state.write() as connection:
        return planning.run_now(connection, job, at=now, by=told_by(ANDON))


def job_view(job: Job, room: ControlRoom, now: datetime) -> JobView:
    """Show a job."""
    with room.state.read() as connection:
        begun = ledger.list_runs(connection, job=job.name, states=_BEGUN, limit=1)
        paused = pauses(connection).get(job.name)
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
        paused=None if paused is None else PauseView.model_validate(paused),
    )
