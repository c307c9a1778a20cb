"""Users: who may sign in, in which role, and to which part of the plant."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from service.access import links, users
from service.access.reach import WHOLE, Reach
from service.access.record import record_user
from service.access.role import Role
from service.access.users import User
from service.api.given import Room, Who, moment_of_doors, refresh
from service.api.paging import Limit, Offset, Page, cut
from service.api.text import Told

router = APIRouter(tags=["access"])

Parts = Annotated[
    list[Annotated[str, Field(max_length=500)]],
    Field(min_length=1, max_length=1000, description="'whole plant' alone, or parts such as 'line:Line 2'."),
]
Number = Annotated[int, Path(ge=1, lt=2**31, description="Number of the user.")]


class UserView(BaseModel):
    """One user."""

    id: int
    name: str
    role: Role
    reach: list[str] = Field(description="'whole plant' alone, or parts such as 'line:Line 2'.")
    has_password: bool
    second_factor: bool = Field(description="Whether a code is asked for beside the password.")
    created: datetime
    disabled: datetime | None = Field(description="Since when they may not sign in; null if they may.")

    @classmethod
    def of(cls, user: User) -> "UserView":
        """Show a user, without anything that opens something."""
        return cls(
            id=user.id,
            name=user.name,
            role=user.role,
            reach=written(user.reach),
            has_password=bool(user.password),
            second_factor=bool(user.totp),
            created=user.created,
            disabled=user.disabled,
        )


class UserPage(Page):
    """Some users."""

    items: list[UserView]


class NewUser(Told):
    """Somebody who is to be let in."""

    name: Annotated[str, Field(min_length=1, max_length=users.LONGEST_NAME, examples=["Ines"])]
    role: Role
    reach: Parts


class UserChange(Told):
    """What is to be another way; what is left out stays."""

    role: Role | None = None
    reach: Parts | None = None
    enabled: bool | None = Field(None, description="False: may not sign in; sessions, links and keys end at once.")


class LinkView(BaseModel):
    """A link by which a user sets a password, once."""

    user: UserView
    link: str = Field(description="Shown only here; it opens once, within a day. Give it to nobody else.")


@router.get("/users")
def list_users(request: Request, room: Room, limit: Limit = 100, offset: Offset = 0) -> UserPage:
    """Return the users by name; those who may not sign in any more, too."""
    with room.state.read() as connection:
        found, next_page = cut(request, users.list_users(connection), limit, offset)
    return UserPage(items=[UserView.of(each) for each in found], next=next_page)


@router.post("/users", status_code=201)
def add_user(request: Request, body: NewUser, room: Room, asked: Who) -> LinkView:
    """Add a user, and return the link by which they set a password."""
    reach, now = Reach.read(body.reach).checked(room.plant), moment_of_doors(request)
    with room.state.write() as connection:
        user = users.add(connection, body.name, role=body.role, reach=reach, at=now)
        record_user(connection, user, "added", by=asked.actor.name, at=now)
        return _link(request, connection, user, now)


@router.get("/users/{user}")
def show_user(user: Number, room: Room) -> UserView:
    """Return one user."""
    with room.state.read() as connection:
        return UserView.of(users.show(connection, user))


@router.patch("/users/{user}")
def change_user(request: Request, user: Number, body: UserChange, room: Room, asked: Who) -> UserView:
    """Give a user another role or reach, or let them sign in no more or again; it counts from the next request on."""
    reach = None if body.reach is None else Reach.read(body.reach).checked(room.plant)
    now = moment_of_doors(request)
    with room.state.write() as connection:
        changed = users.give(connection, users.show(connection, user), role=body.role, reach=reach)
        if body.enabled is False:
            changed = users.disable(connection, changed, at=now)
        elif body.enabled:
            changed = users.enable(connection, changed)
        record_user(connection, changed, "changed", by=asked.actor.name, at=now)
    refresh(request)
    return UserView.of(changed)


@router.post("/users/{user}/link", status_code=201)
def make_link(request: Request, user: Number, room: Room, asked: Who) -> LinkView:
    """Make a link by which a user sets a password; links of before open no more."""
    with room.state.write() as connection:
        found, now = users.show(connection, user), moment_of_doors(request)
        record_user(connection, found, "password link made", by=asked.actor.name, at=now)
        return _link(request, connection, found, now)


def written(reach: Reach) -> list[str]:
    """Return a reach as it is read."""
    return [WHOLE] if reach.parts is None else list(reach.parts)


def _link(request: Request, connection: Connection, user: User, now: datetime) -> LinkView:
    token = links.make(connection, user.id, at=now)
    return LinkView(user=UserView.of(user), link=links.address_of(str(request.base_url), token))
