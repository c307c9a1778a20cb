"""Messages about alerts: which wait, which arrived, which are dead and why; send again."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.given import Now, Room
from service.api.paging import Limit, Page, link_with
from service.api.text import Told
from service.delivery import notice as notices
from service.delivery.notice import TargetFigures
from service.delivery.outbox import NoticeState
from service.delivery.pace import Pace, paces
from service.delivery.replay import replay

router = APIRouter(tags=["notices"])

Number = Annotated[int, Path(ge=1, lt=2**63, description="Number of the message.")]


class NoticeView(BaseModel):
    """One message to one target."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    message: str = Field(description="Its name at the receiver, the same however often it is sent.")
    target: str
    kind: str = Field(description="What it tells: raised, changed, resolved, repeated, escalated, digest, watchdog.")
    alert: int | None
    machine: str
    state: NoticeState
    at: datetime = Field(description="When it was written.")
    due: datetime = Field(description="Not tried before.")
    tries: int
    ended: datetime | None = Field(description="When it was sent or given up.")
    why: str = Field(description="Why the last try failed.")


class NoticeDetail(NoticeView):
    """One message and what it says."""

    body: dict[str, Any]


class NoticePage(Page):
    """Some messages."""

    items: list[NoticeView]


class TargetView(BaseModel):
    """One target of messages, and how it answers."""

    name: str
    kind: str | None = Field(description="Null if the plant file does not name it any more.")
    waiting: int
    oldest: datetime | None = Field(description="When the first that waits was written.")
    sent: int
    dead: int
    failing_since: datetime | None = Field(description="Null while it answers.")
    why: str = Field(description="Why the last try failed.")


class TargetPage(Page):
    """All targets."""

    items: list[TargetView]


class NoticeReplay(Told):
    """Which messages to send again, with the ids that they had."""

    ids: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(max_length=10_000)] = Field(
        [], description="These, whatever became of them."
    )
    target: str | None = Field(None, description="All dead ones of this target.")


class ReplayView(BaseModel):
    """Which messages wait again."""

    ids: list[int]


@router.get("/notices")
def list_notices(
    request: Request,
    room: Room,
    state: Annotated[NoticeState | None, Query(description="Only those in this state.")] = None,
    target: Annotated[str | None, Query(description="Only to this target.")] = None,
    alert: Annotated[int | None, Query(ge=1, lt=2**63, description="Only of this alert.")] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="Only with a lower number.")] = None,
    limit: Limit = 100,
) -> NoticePage:
    """Return messages to targets, newest first."""
    states = (state,) if state else tuple(NoticeState)
    with room.state.read() as connection:
        found = notices.list_notices(
            connection, states=states, target=target, alert=alert, before=before, limit=limit + 1
        )
    page = found[:limit]
    more = link_with(request, before=page[-1].id, limit=limit) if len(found) > limit else None
    return NoticePage(items=[NoticeView.model_validate(each) for each in page], next=more)


@router.get("/notices/{number}")
def show_notice(number: Number, room: Room) -> NoticeDetail:
    """Return one message with what it says."""
    with room.state.read() as connection:
        return NoticeDetail.model_validate(notices.show(connection, number))


@router.post("/notices/replay")
def replay_notices(order: NoticeReplay, room: Room, now: Now) -> ReplayView:
    """Let messages wait again, to be sent with the ids that they had: a receiver that has one knows it by that."""
    with room.state.write() as connection:
        return ReplayView(ids=replay(connection, at=now, numbers=order.ids, target=order.target))


@router.get("/targets")
def list_targets(room: Room) -> TargetPage:
    """Return the targets of the plant file and of messages, and how each answers."""
    with room.state.read() as connection:
        counts, known = notices.figures(connection), paces(connection)
    kinds: dict[str, str | None] = {each.name: each.kind for each in room.plant.targets}
    names = [*kinds, *(name for name in counts if name not in kinds)]
    return TargetPage(
        items=[_target(name, kinds.get(name), counts.get(name), known.get(name)) for name in names], next=None
    )


def _target(name: str, kind: str | None, counts: TargetFigures | None, pace: Pace | None) -> TargetView:
    counts, pace = counts or TargetFigures(), pace or Pace(target=name)
    return TargetView(
        name=name,
        kind=kind,
        waiting=counts.waiting,
        oldest=counts.oldest,
        sent=counts.sent,
        dead=counts.dead,
        failing_since=pace.failing_since,
        why=pace.why,
    )
