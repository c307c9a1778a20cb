"""Receivers: whom alerts may call, which are the targets of the plant file."""

from fastapi import APIRouter

from service.api.alertmanager.shape import Shape
from service.api.given import Room

router = APIRouter()


class Receiver(Shape):
    """Whom alerts call."""

    name: str


@router.get("/receivers")
def list_receivers(room: Room) -> list[Receiver]:
    """Return every target of the plant file."""
    return [Receiver(name=each.name) for each in room.plant.targets]
