"""All pages together, and how a problem looks to a person."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.api.problem import Problem
from service.dashboard import (
    account_page,
    alert_page,
    characteristics_page,
    first_page,
    job_page,
    live,
    losses_page,
    machine_page,
    model_page,
    plant_page,
    sign_in_page,
    single_sign_on_page,
    users_page,
)
from service.dashboard.live import note_newest
from service.dashboard.render import page

pages = APIRouter(include_in_schema=False, dependencies=[Depends(note_newest)])
for each in (
    first_page,
    plant_page,
    machine_page,
    alert_page,
    losses_page,
    characteristics_page,
    model_page,
    job_page,
    sign_in_page,
    single_sign_on_page,
    account_page,
    users_page,
    live,
):
    pages.include_router(each.router)

_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")


def problem_page(request: Request, problem: Problem) -> Response | None:
    """Show a problem as a page where a browser asks; ``None`` where a program does."""
    wants_page = "text/html" in request.headers.get("accept", "")
    if not wants_page or request.url.path.startswith(_FOR_PROGRAMS):
        return None
    return page(request, "problem.html", status=problem.status, live=False, problem=problem)
