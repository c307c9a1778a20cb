"""Watching Andon itself: is it alive, can it work, what does it count."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import select, text

from ingest.errors import AndonError
from service.api.given import Room
from service.api.problem import Fault, ProblemError

router = APIRouter(tags=["watch"])


class Condition(BaseModel):
    """How the service is."""

    status: str


@router.get("/healthz")
def alive() -> Condition:
    """Say that the process is alive; nothing else is looked at."""
    return Condition(status="alive")


@router.get("/readyz")
def ready(request: Request) -> Condition:
    """Say whether plant, store and state can be used; 503 with what is wrong if not."""
    room = getattr(request.app.state, "room", None)
    if room is None:
        raise ProblemError(503, "the plant is not open yet")
    faults = []
    try:
        room.store.counts()
    except (AndonError, OSError) as error:
        faults.append(Fault(where="store", reason=str(error)))
    try:
        with room.state.read() as connection:
            connection.execute(select(text("1")))
    except (AndonError, OSError) as error:
        faults.append(Fault(where="state", reason=str(error)))
    if faults:
        raise ProblemError(503, "; ".join(f"{each.where}: {each.reason}" for each in faults), errors=faults)
    return Condition(status="ready")


@router.get("/metrics", response_class=Response)
def metrics(request: Request, room: Room) -> Response:
    """Return the metrics as Prometheus reads them."""
    body, media_type = request.app.state.metrics.exposition()
    return Response(body, media_type=media_type)
