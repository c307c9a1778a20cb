"""What people do with jobs: run one now, fill in the past, pause it, and see when it runs next."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ingest.duration import Duration
from ingest.plant import Job, Plant
from service.access.actor import told_by
from service.api.given import Now, Room, job_named, moment
from service.api.iso import Iso
from service.api.jobs import PauseView
from service.api.runs import RunView
from service.api.text import Person, Reason, Told
from service.audit.record import ANDON
from service.jobs import pause as pausing
from service.jobs import planning
from service.jobs.asked import CHUNK, Asked, Filling
from service.jobs.fires import held_back, next_fires
from service.jobs.ledger import Run

router = APIRouter(tags=["jobs"])


class FireView(BaseModel):
    """One slot ahead."""

    model_config = ConfigDict(from_attributes=True)

    utc: datetime
    local: datetime = Field(description="The same moment on the plant's clocks.")


class Fires(BaseModel):
    """When a job runs next."""

    items: list[FireView]


class RunAsked(Told):
    """What is asked for beside what the job says."""

    at: Iso | None = Field(None, description="As of this time, plant time if no offset; the present if left out.")
    models: list[str] = Field([], max_length=1000, description="Only these of the job's models; all when empty.")


class RunPlan(BaseModel):
    """What a run would do if somebody asked for it now."""

    job: str
    action: str
    as_of: datetime
    models: list[str] = Field(description="All when empty.")
    held_back: list[str] = Field(description="What keeps it from beginning at once.")


class BackFill(Told):
    """A span of the past whose work is to be done."""

    start: Iso = Field(description="After this time; plant time if no offset.")
    end: Iso = Field(description="Up to this time.")
    chunk: Duration = Field(CHUNK, gt=timedelta(0), description="A job that scores: how much at once.")
    again: bool = Field(False, description="A job that scores: also windows that were scored before.")
    alerts: bool = Field(False, description="Raise alerts on history, where no round has looked yet.")
    dry_run: bool = Field(False, description="Only count.")


class BackFilled(BaseModel):
    """What a back-fill entered."""

    job: str
    parts: int = Field(description="Chunks or slots of the span, done or not.")
    entered: int = Field(description="Runs that are new in the ledger, or wait again.")


class Paused(Told):
    """A job whose slots nobody is to begin."""

    by: Person
    why: Reason


@router.get("/jobs/{job:path}/next")
def next_slots(job: str, room: Room, now: Now, count: Annotated[int, Query(ge=1, le=1000)] = 10) -> Fires:
    """Return when a job runs next, in UTC and in the plant's time."""
    found = next_fires(job_named(room.plant, job), room.plant, now, count)
    return Fires(items=[FireView.model_validate(each) for each in found])


@router.post("/jobs/{job:path}/run", status_code=202)
def run_now(job: str, room: Room, now: Now, body: RunAsked | None = None) -> RunView:
    """Enter a run of a job into the ledger for this moment; the next free worker takes it.

    Its progress can be seen at ``/api/v1/runs/{id}``. Where a run of the job is entered for the very
    same moment already, that one is returned.
    """
    wanted, asked = _asked(room.plant, job, body or RunAsked(), now)
    with room.state.write() as connection:
        entered: Run = planning.run_now(connection, wanted, at=now, by=told_by(ANDON), parameters=asked.to_dict())
    return RunView.model_validate(entered)


@router.post("/jobs/{job:path}/plan")
def plan_run(job: str, room: Room, now: Now, body: RunAsked | None = None) -> RunPlan:
    """Say what a run of a job would do now and what holds it back; nothing is entered (a dry run)."""
    wanted, asked = _asked(room.plant, job, body or RunAsked(), now)
    with room.state.read() as connection:
        held = held_back(connection, room.plant, wanted)
    return RunPlan(
        job=wanted.name,
        action=wanted.action,
        as_of=asked.at or now,
        models=list(asked.models or wanted.models),
        held_back=held,
    )


@router.post("/jobs/{job:path}/back-fill", status_code=202)
def back_fill(job: str, body: BackFill, room: Room, now: Now) -> BackFilled:
    """Enter the work of a job for a span of the past; it raises no alerts unless asked."""
    wanted, zone = job_named(room.plant, job), room.plant.zone
    start, end = moment(body.start, room.plant, "body.start"), moment(body.end, room.plant, "body.end")
    filling = Filling(start=start, end=end, done=start, chunk=body.chunk, again=body.again, alerts=body.alerts)
    parts = planning.count_made_up_for(wanted, zone, filling, at=now)
    entered = 0
    if not body.dry_run:
        with room.state.write() as connection:
            entered = planning.make_up_for(connection, wanted, zone, filling, at=now, by=told_by(ANDON))
    return BackFilled(job=wanted.name, parts=parts, entered=entered)


@router.post("/jobs/{job:path}/pause", status_code=201)
def pause(job: str, body: Paused, room: Room, now: Now) -> PauseView:
    """Let nobody begin what is due of a job until it is resumed; 409 if it is paused already."""
    wanted = job_named(room.plant, job)
    with room.state.write() as connection:
        return PauseView.model_validate(pausing.pause(connection, wanted.name, by=body.by, why=body.why, at=now))


@router.post("/jobs/{job:path}/resume", status_code=204)
def resume(job: str, room: Room, now: Now) -> None:
    """Let what is due of a job be begun again; 409 if it is not paused."""
    wanted = job_named(room.plant, job)
    with room.state.write() as connection:
        pausing.resume(connection, wanted.name, by=told_by(ANDON), at=now)


def _asked(plant: Plant, job: str, body: RunAsked, now: datetime) -> tuple[Job, Asked]:
    wanted = job_named(plant, job)
    at = None if body.at is None else moment(body.at, plant, "body.at")
    asked = Asked(at, tuple(body.models))
    asked.refuse_what_cannot_be(now, wanted.models or [each.name for each in plant.models])
    return wanted, asked
