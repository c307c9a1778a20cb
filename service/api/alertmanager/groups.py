"""Groups: alerts that fire, as they come to each receiver in one message."""

from collections import defaultdict

from fastapi import APIRouter

from service.alerts.pipeline.match import key_of
from service.api.alertmanager.alerts import GettableAlert, alert_shown
from service.api.alertmanager.firing import Firing, firing
from service.api.alertmanager.receivers import Receiver
from service.api.alertmanager.shape import Shape
from service.api.alertmanager.sought import Seek
from service.api.given import Now, Room

router = APIRouter()


class AlertGroup(Shape):
    """Alerts that come in one message."""

    labels: dict[str, str]
    receiver: Receiver
    alerts: list[GettableAlert]


@router.get("/alerts/groups", response_model_exclude_none=True)
def list_groups(room: Room, now: Now, seek: Seek) -> list[AlertGroup]:
    """Return the alerts that fire by receiver and by what their route groups by; those of no route are in none."""
    with room.state.read() as connection:
        found = seek.among(firing(connection, room, now))
    members: dict[tuple[str, str, str], list[Firing]] = defaultdict(list)
    labels = {}
    for each in found:
        for route, names in each.routes.values():
            key = key_of(route.group_by, each.places)
            for name in filter(seek.calls, names):
                members[name, route.name, key].append(each)
                labels[name, route.name, key] = {place: each.places[place] for place in route.group_by}
    return [
        AlertGroup(
            labels={"alertname" if name == "kind" else name: value for name, value in labels[own].items() if value},
            receiver=Receiver(name=own[0]),
            alerts=[alert_shown(each) for each in members[own]],
        )
        for own in sorted(members)
    ]
