"""Runs: the ledger of what was done, when, by whom, and how it went."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.given import Room
from service.api.paging import Limit, Page, link_with
from service.jobs import ledger
from service.jobs.ledger import RunState

router = APIRouter(tags=["runs"])


class RunView(BaseModel):
    """One slot of one job."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    job: str
    slot: datetime = Field(description="The moment that the run stands for.")
    origin: str
    state: RunState
    worker: str
    started: datetime | None
    ended: datetime | None
    outcome: str = Field(description="One line: what was done, why it failed, or why it was skipped.")
    rows: int | None
    machines: int | None
    models: list[str]
    cpu_seconds: float | None
    peak_memory: int | None = Field(description="Bytes.")
    watt_hours: float | None = Field(description="Estimate from the processor's seconds; see the setting core_watts.")
    due: datetime | None = Field(description="Not begun before; null for the slot itself.")
    tries: int = Field(description="How often it failed and was set to waiting again.")
    parameters: dict[str, Any] = Field(description="What was asked for beside what the job says.")


class RunDetail(RunView):
    """One run with its log."""

    log: str


class RunPage(Page):
    """Some runs."""

    items: list[RunView]


@router.get("/runs")
def list_runs(
    request: Request,
    room: Room,
    job: Annotated[str | None, Query(description="Only of this job.")] = None,
    state: Annotated[list[RunState] | None, Query(description="Only in these states.")] = None,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="Only runs with a lower id.")] = None,
) -> RunPage:
    """Return runs, the last entered first."""
    with room.state.read() as connection:
        found = ledger.list_runs(connection, job=job, states=state or tuple(RunState), before=before, limit=limit + 1)
    page = found[:limit]
    more = link_with(request, before=page[-1].id, limit=limit) if len(found) > limit else None
    return RunPage(items=[RunView.model_validate(each) for each in page], next=more)


@router.get("/runs/{number}")
def show_run(number: Annotated[int, Path(ge=1, lt=2**63)], room: Room) -> RunDetail:
    """Return one run with its log."""
    with room.state.read() as connection:
        return RunDetail.model_validate(ledger.show(connection, number))
