"""Silences: mutes as Alertmanager's clients list, make, change and end them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from ingest.errors import PatternError, UnknownNameError
from ingest.keepable import why_unkeepable
from service.access.actor import told_by
from service.alerts import mutes
from service.alerts.matcher import Matcher, checked, read_matcher
from service.alerts.mute import Mute, MuteKind
from service.alerts.silence import Wish, change, expire, silence
from service.api.alertmanager.shape import Shape
from service.api.alertmanager.silence_shape import (
    GettableSilence,
    PostableSilence,
    matchers_of,
    silence_shown,
    state_of,
)
from service.api.alertmanager.sought import MOST_FILTERS
from service.api.given import Now, Room, moment
from service.api.problem import ProblemError
from service.audit.record import ANDON
from service.control_room import ControlRoom

router = APIRouter()
SilenceId = Annotated[str, Path(max_length=200, description="UUID of the silence.")]
KEPT = timedelta(days=5)
"""So long silences that are over are listed; the audit trail has all of them for ever."""

_ORDER = ("active", "pending", "expired")


class SilenceMade(Shape):
    """The silence that was made, or changed."""

    silence_id: str = Field(alias="silenceID")


@router.get("/silences")
def list_silences(
    room: Room,
    now: Now,
    filter: Annotated[  # noqa: A002 – what Alertmanager calls it
        list[str], Query(max_length=MOST_FILTERS, description='Only those with this matcher: `machine="press-1"`.')
    ] = [],  # noqa: B006 – FastAPI copies defaults
) -> list[GettableSilence]:
    """Return what is silenced, shelved, suppressed or out of service, and what was within the last five days."""
    wanted = [read_matcher(each) for each in filter]
    with room.state.read() as connection:
        found = mutes.list_recent(connection, now - KEPT, machines=room.shown)
    shown = [each for each in found if all(matcher in matchers_of(each) for matcher in wanted)]
    # What rules of the product suppressed is no news once it is over.
    shown = [each for each in shown if each.kind is not MuteKind.SUPPRESSED or state_of(each, now) != "expired"]
    shown.sort(key=lambda each: (_ORDER.index(state_of(each, now)), each.id))
    return [silence_shown(each, now) for each in shown]


@router.post("/silences")
def post_silence(body: PostableSilence, room: Room, now: Now) -> SilenceMade:
    """Silence alerts with these labels, or change a silence; for as long as alerts may be shelved, at most."""
    wish = _wish(body, room)
    longest = room.plant.alerts.longest_shelving
    with room.calling(now).write() as connection:
        if not body.id:
            made = silence(connection, wish, at=now, longest=longest)
        else:
            made = change(connection, _of_theirs(mutes.named(connection, body.id), room), wish, at=now, longest=longest)
    return SilenceMade(silence_id=made.uuid)


@router.get("/silence/{silence}")
def show_silence(silence: SilenceId, room: Room, now: Now) -> GettableSilence:
    """Return one silence, however long it is over."""
    with room.state.read() as connection:
        return silence_shown(_of_theirs(mutes.named(connection, silence), room), now)


@router.delete("/silence/{silence}")
def end_silence(silence: SilenceId, room: Room, now: Now) -> Response:
    """End a silence, or whatever else a person muted; one that is over stays as it is."""
    with room.calling(now).write() as connection:
        mute = _of_theirs(mutes.named(connection, silence), room)
        expire(connection, mute, by=told_by(ANDON), why="ended as a silence", at=now)
    return Response()


def _wish(body: PostableSilence, room: ControlRoom) -> Wish:
    """Return what is asked for, checked, and within the part of the plant that whoever asks reaches."""
    for text in (body.created_by, body.comment, *(each.value for each in body.matchers)):
        if reason := why_unkeepable(text):
            raise ProblemError(400, reason)
    wish = Wish(
        matchers=tuple(checked(each.matcher) for each in body.matchers),
        since=_time(body.starts_at, room, "startsAt"),
        until=_time(body.ends_at, room, "endsAt"),
        by=told_by(body.created_by),
        why=body.comment,
    )
    if room.shown is not None and wish.machine not in room.shown:
        example = str(Matcher(name="machine", value=next(iter(room.shown), "press-1")))
        raise PatternError(
            f"you reach a part of the plant only: name a machine of it with a matcher, such as {example}"
        )
    return wish


def _time(at: datetime, room: ControlRoom, name: str) -> datetime:
    return moment(at, room.plant, name).astimezone(UTC)


def _of_theirs(mute: Mute, room: ControlRoom) -> Mute:
    if room.shown is not None and mute.machine not in room.shown:
        raise UnknownNameError(f"no silence {mute.uuid!r}")
    return mute
