"""Me: who asks, as this server knows them."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.access.role import Right
from service.api.given import Who

router = APIRouter(tags=["access"])


class MeView(BaseModel):
    """Whoever asks, and what they may do."""

    name: str = Field(description="As it stands in histories; empty while nobody has to sign in.")
    by: Literal["session", "key", "open"] = Field(description="'open': there is no user, and everybody may ask.")
    rights: list[Right]
    reach: list[str] | None = Field(description="Parts of the plant, such as 'line:Line 2'; null for all of it.")
    csrf_token: str = Field(
        description="What a session has to send as 'X-CSRF-Token' with each change; empty for a key, which needs none."
    )


@router.get("/me")
def show_me(asked: Who) -> MeView:
    """Return who asks, what they may do and in which part of the plant."""
    actor = asked.actor
    reach = actor.reach.parts
    return MeView.model_validate(
        {
            "name": actor.name,
            "by": actor.by,
            "rights": [each for each in Right if each in actor.rights],
            "reach": None if reach is None else list(reach),
            "csrf_token": asked.csrf,
        }
    )
