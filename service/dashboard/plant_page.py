"""The plant as a map: every machine at its place, with its state."""

from enum import StrEnum

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.given import Seen
from service.dashboard.plant_map import count_states, plant_map
from service.dashboard.render import page
from service.overview import plant_health

router = APIRouter()


class Show(StrEnum):
    """Which machines are on the map."""

    ALL = "all"
    ABNORMAL = "abnormal"


@router.get("/plant")
def plant_page(request: Request, seen: Seen, show: Show = Show.ALL) -> Response:
    """Show the lines and machines that whoever looks may see, each with its state."""
    healths = plant_health(seen.room, seen.sampling, seen.now)
    return page(
        request,
        "plant.html",
        areas=plant_map(healths, quiet=show is Show.ALL),
        counts=count_states(healths),
        machines=len(healths),
        show=show.value,
    )
