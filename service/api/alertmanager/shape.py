"""Shapes that all of Alertmanager's documents share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


def told(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC, to the millisecond.

    Examples
    --------
    >>> told(datetime(2026, 3, 2, 6, tzinfo=UTC))
    '2026-03-02T06:00:00.000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(told, return_type=str, when_used="json")]


class Shape(BaseModel):
    """One document, its names written as there."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
