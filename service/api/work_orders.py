"""Work orders: what alerts ask maintenance to do, who approved it, and what became of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.alerts import work_orders
from service.alerts.work_order import Deed, WorkOrderState
from service.api.given import Now, Room
from service.api.paging import Limit, Offset, Page, trimmed
from service.api.text import Note, Person, Reason, Told

router = APIRouter(tags=["work orders"])
OrderNumber = Annotated[int, Path(ge=1, lt=2**31, description="Number of the work order.")]


class WorkOrderView(BaseModel):
    """One thing to do at one machine."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    alert: int
    machine: str
    cause: str
    state: WorkOrderState
    title: str
    worth: float = Field(description="What it saves on average, in the plant's currency.")
    act_before: datetime
    drafted_at: datetime
    decided_by: str
    decided_at: datetime | None
    why: str
    handed_at: datetime | None = Field(description="When the maintenance system was given it through the folder.")
    reference: str = Field(description="Its number in the maintenance system.")
    status: str = Field(description="In the words of the maintenance system.")
    status_at: datetime | None


class WorkOrderPage(Page):
    """Some work orders."""

    items: list[WorkOrderView]


class Approval(Told):
    """Somebody wants it done."""

    by: Person
    note: Note = ""
    title: Annotated[str, Field(max_length=1000, description="In place of what was drafted.")] = ""


class Refusal(Told):
    """Somebody does not want it done."""

    by: Person
    why: Reason


class Status(Told):
    """What the maintenance system says of it."""

    status: Annotated[str, Field(min_length=1, max_length=1000, examples=["in progress"])]
    reference: Annotated[str, Field(max_length=200, description="Its number there.", examples=["WO-1043"])] = ""
    done: bool = False
    by: Person = "maintenance system"


@router.get("/work-orders")
def list_work_orders(
    request: Request,
    room: Room,
    state: Annotated[
        list[WorkOrderState], Query(max_length=len(WorkOrderState), description="Only in these states.")
    ] = list(WorkOrderState),  # noqa: B006 – FastAPI copies defaults
    limit: Limit = 50,
    offset: Offset = 0,
) -> WorkOrderPage:
    """Return work orders, newest first."""
    with room.state.read() as connection:
        found = work_orders.list_orders(connection, states=state, machines=room.shown, offset=offset, limit=limit + 1)
    page, next_page = trimmed(request, found, limit, offset)
    return WorkOrderPage(items=[WorkOrderView.model_validate(each) for each in page], next=next_page)


@router.get("/work-orders/{number}")
def show_work_order(number: OrderNumber, room: Room) -> WorkOrderView:
    """Return one work order."""
    with room.state.read() as connection:
        return WorkOrderView.model_validate(work_orders.show(connection, number))


@router.post("/work-orders/{number}/approve")
def approve(number: OrderNumber, body: Approval, room: Room, now: Now) -> WorkOrderView:
    """Let a draft go to the maintenance system; 409 if it is no draft."""
    with room.state.write() as connection:
        order = work_orders.decide(
            connection, number, Deed.APPROVE, by=body.by, at=now, why=body.note, title=body.title
        )
    return WorkOrderView.model_validate(order)


@router.post("/work-orders/{number}/refuse")
def refuse(number: OrderNumber, body: Refusal, room: Room, now: Now) -> WorkOrderView:
    """Refuse a draft, or take an approved one back; its alert gets no other. 409 if it is refused or done."""
    with room.state.write() as connection:
        order = work_orders.decide(connection, number, Deed.REFUSE, by=body.by, at=now, why=body.why)
    return WorkOrderView.model_validate(order)


@router.post("/work-orders/{number}/status")
def report(number: OrderNumber, body: Status, room: Room, now: Now) -> WorkOrderView:
    """Say what became of an approved work order; the same twice changes nothing. 409 if nobody approved it."""
    with room.state.write() as connection:
        order = work_orders.report(
            connection, number, status=body.status, at=now, reference=body.reference, done=body.done, by=body.by
        )
    return WorkOrderView.model_validate(order)
