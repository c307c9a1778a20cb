"""Alerts that fire, as Alertmanager lists them."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from service.api.alertmanager.firing import Firing, firing
from service.api.alertmanager.receivers import Receiver
from service.api.alertmanager.shape import Shape, Time
from service.api.alertmanager.sought import Seek
from service.api.given import Now, Room

router = APIRouter()


class AlertStatus(Shape):
    """Whether people are called for an alert, and why not."""

    state: Literal["active", "suppressed"]
    silenced_by: list[str] = Field(description="What mutes it: the ids of silences.")
    inhibited_by: list[str] = Field(description="Fingerprints of what is worse, or that its line stands.")


class GettableAlert(Shape):
    """An alert that fires."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: Time
    ends_at: Time = Field(description="Until then it fires at least.")
    updated_at: Time
    fingerprint: str
    receivers: list[Receiver] = Field(description="Whom it calls; empty unless the whole plant is reached.")
    status: AlertStatus
    generator_url: str | None = Field(None, alias="generatorURL")


@router.get("/alerts", response_model_exclude_none=True)
def list_firing(room: Room, now: Now, seek: Seek) -> list[GettableAlert]:
    """Return the alerts that fire: those of Andon, and those that were posted."""
    with room.state.read() as connection:
        found = firing(connection, room, now)
    return [alert_shown(each) for each in seek.among(found)]


def alert_shown(each: Firing) -> GettableAlert:
    """Return an alert as Alertmanager shows it."""
    silenced = [mute.uuid for mute in each.alert.mutes]
    return GettableAlert(
        labels=dict(each.labels),
        annotations=dict(each.annotations),
        starts_at=each.starts_at,
        ends_at=each.ends_at,
        updated_at=each.updated_at,
        fingerprint=each.fingerprint,
        receivers=[Receiver(name=name) for name in each.receivers],
        status=AlertStatus(
            state="suppressed" if silenced or each.inhibited_by else "active",
            silenced_by=silenced,
            inhibited_by=list(each.inhibited_by),
        ),
        generator_url=each.link or None,
    )
