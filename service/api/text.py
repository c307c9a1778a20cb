"""Texts that come over HTTP: each must be one that a database can keep."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ingest.keepable import why_unkeepable
from service.access.actor import told_by
from service.api.problem import Fault, ProblemError

Person = Annotated[str, Field(min_length=1, max_length=200, description="Who it is.", examples=["Ines"])]
Word = Annotated[str, Field(max_length=200)]
Note = Annotated[str, Field(max_length=10_000)]
Reason = Annotated[
    str, Field(min_length=1, max_length=10_000, description="Why.", examples=["Known: the bearing is ordered."])
]


class Told(BaseModel):
    """What a client tells in a body: only the fields that are known, and only texts that can be kept."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _by_whom(cls, told: Any) -> Any:
        """Believe nobody who says to be another one: whoever is signed in does it."""
        if "by" in cls.model_fields and isinstance(told, dict) and (name := told_by("")):
            return told | {"by": name}
        return told

    @field_validator("*", mode="before")
    @classmethod
    def _keepable(cls, value: Any) -> Any:
        if isinstance(value, str) and (reason := why_unkeepable(value)):
            raise PydanticCustomError("unkeepable", "{reason}", {"reason": reason})
        return value


async def keepable_address(request: Request) -> None:
    """Refuse a path or a query with a text that cannot be kept.

    Raises
    ------
    ProblemError
        422 that names the part.
    """
    parts = [("path", name, str(value)) for name, value in request.path_params.items()]
    parts += [("query", name, value) for name, value in request.query_params.multi_items()]
    refuse_unkeepable((f"{part}.{name}", value) for part, name, value in parts)


def refuse_unkeepable(texts: Iterable[tuple[str, str]]) -> None:
    """Refuse texts, given as pairs of their place and themselves, of which one cannot be kept.

    Raises
    ------
    ProblemError
        422 with a fault for each such text.
    """
    faults = [Fault(where=where, reason=reason) for where, text in texts if (reason := why_unkeepable(text))]
    if faults:
        raise ProblemError(422, "; ".join(f"{each.where}: {each.reason}" for each in faults), errors=faults)
