"""Pages of jobs: what runs by itself, every run, and running one now."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api.body import RawBody
from service.api.given import Now, Room
from service.api.jobs import enter_run, job_view
from service.dashboard.render import back_to, page, read_form
from service.jobs import ledger

router = APIRouter()
_ROWS = 50


@router.get("/jobs")
def jobs_page(
    request: Request, room: Room, now: Now, before: Annotated[int | None, Query(ge=1, lt=2**63)] = None
) -> Response:
    """Show the jobs and the newest runs."""
    with room.state.read() as connection:
        runs = ledger.list_runs(connection, before=before, limit=_ROWS + 1)
    older = f"/jobs?before={runs[_ROWS - 1].id}" if len(runs) > _ROWS else None
    jobs = [job_view(each, room, now) for each in room.plant.jobs]
    return page(request, "jobs.html", jobs=jobs, runs=runs[:_ROWS], older=older)


@router.get("/runs/{number}")
def run_page(request: Request, number: Annotated[int, Path(ge=1, lt=2**63)], room: Room) -> Response:
    """Show one run with its log."""
    with room.state.read() as connection:
        return page(request, "run.html", run=ledger.show(connection, number))


@router.post("/jobs/{job:path}/run")
def run_now(request: Request, job: str, body: RawBody, room: Room, now: Now) -> Response:
    """Take the form that asks for a run now."""
    read_form(request, body)
    return back_to(f"/runs/{enter_run(room, job, now).id}", "")
