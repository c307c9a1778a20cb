"""A part of the plant file: what all its tables have in common, and the words that they share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone; write an IANA name such as 'Europe/Berlin' or 'UTC'")
    return name


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _no_number(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError(f"{value} is not a date and time; write one such as 2026-01-31 06:00:00")  # noqa: TRY004 - pydantic takes ValueError
    return value


ZoneName = Annotated[str, AfterValidator(_known_zone)]
Columns = Annotated[list[str], BeforeValidator(_as_list)]
TimeColumns = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
Moment = Annotated[datetime, BeforeValidator(_no_number)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


def joined_name(columns: Sequence[str]) -> str:
    """Return what one column is called that holds what stands in these."""
    return " + ".join(columns)


class Part(BaseModel):
    """What all tables of the plant file have in common: no unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
