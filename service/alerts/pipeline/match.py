"""Match: where an alert belongs, and which routes and rules mean it."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from ingest.plant import Plant
from ingest.plant_route import Place, Route, Which
from service.alerts.alert import Alert
from service.alerts.pipeline.worth import Worth
from service.alerts.severity import Severity

Places = Mapping[Place, str]
"""Where an alert belongs; empty where nobody says."""

_PATTERNS: Mapping[Place, str] = {
    "site": "sites",
    "area": "areas",
    "line": "lines",
    "class": "classes",
    "machine": "machines",
    "cause": "causes",
}
"""The key of ``Which`` that lists patterns for a place."""


class Map:
    """The places of all machines of a plant."""

    def __init__(self, plant: Plant) -> None:
        self._machines: dict[str, dict[Place, str]] = {
            each.name: {"site": each.site, "area": each.area, "line": each.line, "class": each.machine_class}
            for each in plant.machines
        }

    def places(self, alert: Alert) -> Places:
        """Return where an alert belongs; of a machine that left the plant file only its name is known."""
        own: dict[Place, str] = self._machines.get(alert.machine, {"site": "", "area": "", "line": "", "class": ""})
        return {**own, "machine": alert.machine, "kind": alert.kind, "cause": alert.cause}


def fits(which: Which, places: Places, worth: Worth) -> bool:
    """Return whether an alert is meant."""
    if worth.severity.rank < Severity(which.severity).rank or (which.kinds and places["kind"] not in which.kinds):
        return False
    if which.least_per_hour is not None and (worth.per_hour or 0.0) < which.least_per_hour:
        return False
    for place, key in _PATTERNS.items():
        patterns = getattr(which, key)
        if patterns and not any(fnmatchcase(places[place], pattern) for pattern in patterns):
            return False
    return True


def routes_of(routes: Sequence[Route], places: Places, worth: Worth) -> list[Route]:
    """Return the routes that an alert takes: the first that fits, and those after it while they say 'go on'."""
    taken = []
    for route in routes:
        if fits(route.when, places, worth):
            taken.append(route)
            if not route.go_on:
                break
    return taken


def key_of(group_by: Sequence[Place], places: Places) -> str:
    """Return the name of the group of an alert.

    Examples
    --------
    >>> key_of(["line", "kind"], {"line": "Line 1", "kind": "anomaly"})
    'line Line 1, kind anomaly'
    >>> key_of([], {})
    'everything'
    """
    return ", ".join(f"{place} {places[place] or 'unknown'}" for place in group_by) or "everything"
