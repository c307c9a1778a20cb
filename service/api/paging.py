"""Paging: lists come in pages, and each page says where the next one is."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, Field

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page has at most.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="How many items to skip.")]


class Page(BaseModel):
    """One page of a list."""

    next: str | None = Field(None, description="Where the next page is; null on the last one.")


def link_with(request: Request, **changes: object) -> str:
    """Return the request's own path with some query parameters changed."""
    url = request.url.include_query_params(**changes)
    return f"{url.path}?{url.query}"


def cut(request: Request, items: Sequence[Item], limit: int, offset: int) -> tuple[list[Item], str | None]:
    """Cut one page out of a whole list.

    Returns
    -------
    the items of this page, and the link to the next one or ``None``
    """
    return trimmed(request, items[offset : offset + limit + 1], limit, offset)


def trimmed(request: Request, found: Sequence[Item], limit: int, offset: int) -> tuple[list[Item], str | None]:
    """Make a page of what was found from ``offset`` on, with one item more than a page has, if there is one."""
    more = len(found) > limit
    return list(found[:limit]), link_with(request, limit=limit, offset=offset + limit) if more else None
