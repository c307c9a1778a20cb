"""Problems: every error of the interface as ``application/problem+json`` (RFC 9457)."""

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.errors import (
    AccessError,
    AndonError,
    AuditError,
    DiskFullError,
    IllegalTransitionError,
    IntakeFullError,
    NotEnoughDataError,
    OtherContentError,
    OutOfBoundsError,
    PatternError,
    PlantFileError,
    PostedAlertError,
    RegistryError,
    ScheduleError,
    SourceError,
    StoreBusyError,
    StoreError,
    UnknownNameError,
)

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One part of a request that is wrong."""

    where: str = Field(description="Which part: 'query.limit', 'row 3', 'row 3, column temperature'.")
    reason: str = Field(description="What is wrong with it, and what would be right.")


class Problem(BaseModel):
    """Why a request was not answered, after RFC 9457."""

    type: str = Field("about:blank", description="Names the kind of problem; stable, so programs may compare it.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field("", description="What is wrong, where, and what would be right.")
    instance: str = Field("", description="Path of the request.")
    errors: list[Fault] = Field([], description="Each fault of the request, where there are several.")
    possible: list[str] = Field([], description="What is possible in the present state, where the request was not.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the error table."""

    status: int
    name: str
    title: str


# The nearest ancestor of an error that stands here decides.
ERROR_TABLE: Mapping[type[AndonError], Kind] = {
    AndonError: Kind(400, "refused", "The request cannot be carried out"),
    UnknownNameError: Kind(404, "unknown-name", "There is nothing of this name"),
    IllegalTransitionError: Kind(409, "illegal-transition", "Not possible in the present state"),
    OtherContentError: Kind(422, "other-content", "This key came before with another body"),
    OutOfBoundsError: Kind(422, "out-of-bounds", "Longer than the plant allows, or no time at all"),
    PatternError: Kind(422, "pattern", "A matcher or a regular expression that is not taken"),
    PostedAlertError: Kind(422, "posted-alert", "An alert of another system that is not taken"),
    NotEnoughDataError: Kind(409, "not-enough-data", "Too little data for what was asked"),
    RegistryError: Kind(409, "model-unusable", "The model version cannot be used"),
    AuditError: Kind(409, "audit", "The audit trail is not as it was written"),
    ScheduleError: Kind(409, "job-unusable", "The job cannot be scheduled or run"),
    AccessError: Kind(422, "access", "Users, keys and passwords cannot be so"),
    SourceError: Kind(422, "unreadable-source", "The data cannot be read"),
    PlantFileError: Kind(503, "plant-file", "The plant file cannot be used"),
    StoreError: Kind(503, "store", "The data folder cannot be used"),
    DiskFullError: Kind(507, "disk-full", "There is no room left to keep it"),
    StoreBusyError: Kind(503, "store-busy", "The store is busy; try again"),
    IntakeFullError: Kind(503, "intake-full", "More comes than can be taken; try again"),
}


class ProblemError(Exception):
    """A problem that the interface itself finds, before any room is asked.

    Parameters
    ----------
    status : HTTP status
    detail : what is wrong, where, and what would be right
    errors : each fault, where there are several
    headers : for the response, such as ``Allow``
    """

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.detail, self.errors, self.headers = status, detail, list(errors), dict(headers or {})
        super().__init__(detail)


Render = Callable[[Request, Problem], Response | None]
"""Turns a problem into a page for a browser, or ``None`` where the JSON document should be sent."""


def problem_of(error: Exception) -> Problem:
    """Return what to tell the client about an error; the one place that maps errors to statuses.

    Examples
    --------
    >>> problem_of(UnknownNameError("no machine 'm7'")).status
    404
    """
    match error:
        case ProblemError():
            return Problem(title=_phrase(error.status), status=error.status, detail=error.detail, errors=error.errors)
        case AndonError():
            kind = next(ERROR_TABLE[each] for each in type(error).__mro__ if each in ERROR_TABLE)
            possible = list(error.possible) if isinstance(error, IllegalTransitionError) else []
            urn = f"urn:andon:{kind.name}"
            return Problem(type=urn, title=kind.title, status=kind.status, detail=str(error), possible=possible)
        case RequestValidationError():
            faults = [Fault(where=".".join(map(str, each["loc"])), reason=each["msg"]) for each in error.errors()]
            detail = "; ".join(f"{each.where}: {each.reason}" for each in faults)
            return Problem(
                type="urn:andon:invalid", title="The request is not valid", status=422, detail=detail, errors=faults
            )
        case HTTPException():
            detail = "" if error.detail == _phrase(error.status_code) else str(error.detail)
            return Problem(title=_phrase(error.status_code), status=error.status_code, detail=detail)
        case _:
            return Problem(title=_phrase(500), status=500, detail="Something went wrong here; the log says what.")


Answer = Callable[[Request, Exception], Response]
"""Turns an error into what the client gets."""

ANSWERED: tuple[type[Exception], ...] = (AndonError, ProblemError, RequestValidationError, HTTPException)
"""Errors that a request is expected to end with; every other one is a mistake of ours."""


def problem_answer(render: Render, disk_full: Callable[[str, str], None]) -> Answer:
    """Return what answers every error with a problem: JSON for programs, a page for browsers.

    Parameters
    ----------
    disk_full : told the path of each request that found no room, and why
    """

    def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        problem.instance = request.url.path
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            problem.detail = f"{request.method} is not possible on {request.url.path}"
        elif problem.status == HTTPStatus.NOT_FOUND and not problem.detail:
            problem.detail = f"there is nothing at {request.url.path}"
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            # As text: a renderer that shows local variables takes seconds, and shows what nobody asked for.
            lines = "".join(traceback.format_exception(error))
            structlog.get_logger().error("request failed", path=request.url.path, traceback=lines)
        elif problem.status == HTTPStatus.INSUFFICIENT_STORAGE:
            disk_full(request.url.path, problem.detail)
        response = render(request, problem) or problem_response(problem)
        response.headers.update(_headers(error))
        return response

    return answer


def add_problem_handlers(app: FastAPI, answer: Answer) -> None:
    """Answer every error of ``app``."""
    for kind in (*ANSWERED, Exception):
        app.add_exception_handler(kind, answer)


def problem_response(problem: Problem) -> Response:
    """Return the JSON document of a problem; ASCII, so that no text of a client can break it."""
    body: dict[str, Any] = {"type": problem.type} | problem.model_dump(exclude_defaults=True)
    return Response(json.dumps(body), status_code=problem.status, media_type=MEDIA_TYPE)


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case ProblemError():
            return error.headers
        case HTTPException():
            return dict(error.headers or {})
        case StoreBusyError() | IntakeFullError():
            return {"Retry-After": "1"}
        case _:
            return {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
