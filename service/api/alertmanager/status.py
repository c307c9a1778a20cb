"""Status: which version runs, since when, and that there is no cluster."""

import platform
from datetime import datetime
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from service.api.alertmanager.shape import Shape, Time
from service.api.given import Room

router = APIRouter()


class Cluster(Shape):
    """Other servers of the same alerts: there are none, all share one database."""

    status: Literal["disabled"] = "disabled"
    peers: list[str] = Field([])


class VersionInfo(Shape):
    """What runs; only the version is of use, the others are of Go."""

    version: str
    revision: str = ""
    branch: str = ""
    build_user: str = ""
    build_date: str = ""
    go_version: str


class Config(Shape):
    """A configuration of Alertmanager."""

    original: str


class AlertmanagerStatus(Shape):
    """Which version runs, and since when."""

    cluster: Cluster
    version_info: VersionInfo
    config: Config
    uptime: Time


@router.get("/status")
def show_status(request: Request, room: Room) -> AlertmanagerStatus:
    """Return which version of Andon runs and since when; routes are in the plant file, not in a configuration."""
    began: datetime = request.app.state.began
    return AlertmanagerStatus(
        cluster=Cluster(),
        version_info=VersionInfo(version=version("andon"), go_version=f"Python {platform.python_version()}"),
        config=Config(original=f"# Andon watches {room.plant.name}; its plant file says who is called for what.\n"),
        uptime=began,
    )
