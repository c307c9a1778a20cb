"""Keys: what programs show in place of a password, for some rights, a part of the plant and a time."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from ingest.duration import Duration
from ingest.errors import AccessError
from service.access import keys
from service.access.keys import Key, Wish
from service.access.reach import Reach
from service.access.record import record_key
from service.access.role import Right
from service.api.given import Room, Who, moment_of_doors, refresh
from service.api.paging import Limit, Offset, Page, cut
from service.api.text import Told
from service.api.users import Parts, written

router = APIRouter(tags=["access"])

Number = Annotated[int, Path(ge=1, lt=2**31, description="Number of the key.")]


class KeyView(BaseModel):
    """What is known of a key; the key itself is kept nowhere."""

    id: int
    name: str
    prefix: str = Field(description="Its first letters.")
    user: int | None = Field(description="Whose own it is, within what they may do; null for one of the plant.")
    rights: list[Right]
    reach: list[str] = Field(description="'whole plant' alone, or parts; of a user's own key, that of the user counts.")
    made_by: str
    created: datetime
    until: datetime
    used: datetime | None = Field(description="To within an hour; null if never.")
    revoked: datetime | None

    @classmethod
    def of(cls, key: Key) -> "KeyView":
        """Show a key."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            user=key.account,
            rights=[each for each in Right if each in key.rights],
            reach=written(key.reach),
            made_by=key.made_by,
            created=key.created,
            until=key.until,
            used=key.used,
            revoked=key.revoked,
        )


class KeyPage(Page):
    """Some keys."""

    items: list[KeyView]


class NewKey(Told):
    """A key that a program is to have."""

    name: Annotated[str, Field(min_length=1, max_length=keys.LONGEST_NAME, examples=["gateway of line 2"])]
    rights: Annotated[
        list[Right], Field(min_length=1, max_length=len(Right), description="All but 'manage' can be given.")
    ]
    reach: Parts
    lasting: Duration = Field(
        f"{keys.DEFAULT.days} d", validate_default=True, description=f"How long; {keys.LONGEST.days} days at most."
    )


class Rotation(Told):
    """A key is to be replaced."""

    overlap: Duration = Field(
        f"{keys.OVERLAP.days} d", validate_default=True, description="For how long the old one still works."
    )


class MadeKey(BaseModel):
    """A key that was made."""

    key: KeyView
    secret: str = Field(description="The key itself, shown only here: 'Authorization: Bearer …'.")


@router.get("/keys")
def list_keys(request: Request, room: Room, limit: Limit = 100, offset: Offset = 0) -> KeyPage:
    """Return the keys, newest first; those that are over, too."""
    with room.state.read() as connection:
        found, next_page = cut(request, keys.list_keys(connection), limit, offset)
    return KeyPage(items=[KeyView.of(each) for each in found], next=next_page)


@router.post("/keys", status_code=201)
def make_key(request: Request, body: NewKey, room: Room, asked: Who) -> MadeKey:
    """Make a key of the plant, which goes on whoever made it; it is shown only now."""
    reach = Reach.read(body.reach).checked(room.plant)
    wish = Wish(name=body.name, rights=body.rights, reach=reach, lasting=body.lasting)
    now = moment_of_doors(request)
    with room.state.write() as connection:
        key, secret = keys.make(connection, wish, by=asked.actor.name, at=now)
        record_key(connection, key, "made", by=asked.actor.name, at=now)
    return MadeKey(key=KeyView.of(key), secret=secret)


@router.post("/keys/{key}/rotate", status_code=201)
def rotate_key(request: Request, key: Number, room: Room, asked: Who, body: Rotation | None = None) -> MadeKey:
    """Make a key that takes the place of another; the old one works for a while, so that programs can change over.

    Nobody gets a key that is somebody else's own: what is done with it is theirs.
    """
    overlap = body.overlap if body else keys.OVERLAP
    now = moment_of_doors(request)
    with room.state.write() as connection:
        old = keys.show(connection, key)
        if old.account not in (None, asked.actor.account):
            raise AccessError(f"key {old.id} ({old.name}) is somebody's own; they make another on their account's page")
        made, secret = keys.rotate(connection, old, by=asked.actor.name, at=now, overlap=overlap)
        record_key(connection, made, f"made in place of {old.id}", by=asked.actor.name, at=now)
    refresh(request)
    return MadeKey(key=KeyView.of(made), secret=secret)


@router.delete("/keys/{key}", status_code=204, response_class=Response)
def revoke_key(request: Request, key: Number, room: Room, asked: Who) -> None:
    """Let a key open nothing any more, at once."""
    now = moment_of_doors(request)
    with room.state.write() as connection:
        found = keys.show(connection, key)
        keys.revoke(connection, found, at=now)
        record_key(connection, found, "revoked", by=asked.actor.name, at=now)
    refresh(request)
