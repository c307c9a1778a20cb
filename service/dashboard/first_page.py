"""The first page: where to look first, and the whole plant at a glance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from ingest.plant import Machine
from service.alerts.alert import Alert
from service.alerts.kept_money import kept_money
from service.alerts.rank import where_to_look_first
from service.api.given import Seen
from service.dashboard.plant_map import count_states
from service.dashboard.render import page
from service.grades import KeptGrade, grade_of_alert, kept_grades
from service.health import MachineHealth
from service.overview import alerts_of_the_plant, plant_health

router = APIRouter()
SHOWN = 15
"""A list that one person can work through."""
TILES = 60
"""Machines that the glance at the plant shows; of a larger plant those that are not normal, and the map has all."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is missing before there can be alerts, and the command that mends it."""

    what: str
    how: str
    command: str


@router.get("/")
def first_page(request: Request, seen: Seen) -> Response:
    """Show the ranked open alerts and the health of every machine."""
    healths = plant_health(seen.room, seen.sampling, seen.now)
    alerts = [*(alert for each in healths for alert in each.alerts), *alerts_of_the_plant(seen.room, seen.now)]
    with seen.room.state.read() as connection:
        lost = kept_money(connection)
    ranked = where_to_look_first(alerts, seen.room.plant.costs, seen.now, seen.room.registry.card, lost)
    glance = healths if len(healths) <= TILES else [each for each in healths if not each.quiet][:TILES]
    return page(
        request,
        "first.html",
        ranked=ranked,
        shown=SHOWN,
        grades=_grades(seen, [each.alert for each in ranked[:SHOWN]]),
        hidden=max(0, len(ranked) - SHOWN),
        next_step=_next_step(healths, has_models=bool(seen.room.registry.versions())),
        assessed_at=max((each.level.time for each in healths if each.level), default=None),
        counts=count_states(healths),
        groups=_by_place(glance),
        more=len(healths) - len(glance),
    )


def _grades(seen: Seen, alerts: Sequence[Alert]) -> dict[int, KeptGrade | None]:
    """Return the grade of the signals that each alert rests on, by the alert's number."""
    plant = seen.room.plant
    kept = kept_grades(seen.room.state, plant, sorted({each.machine for each in alerts}))
    return {each.number: grade_of_alert(plant, each.model, kept[each.machine]) for each in alerts}


def place_of(machine: Machine) -> str:
    """Return site, area and line in words; empty where the plant file says none.

    Examples
    --------
    >>> place_of(Machine(name="m", machine_class="c", site="Ulm", line="Line 2"))
    'Ulm · Line 2'
    """
    return " · ".join(filter(None, (machine.site, machine.area, machine.line)))


def _by_place(healths: Iterable[MachineHealth]) -> list[tuple[str, list[MachineHealth]]]:
    """Group by place, in the order in which the plant file first names each."""
    first_seen: dict[str, int] = {}
    for each in healths:
        first_seen.setdefault(place_of(each.machine), len(first_seen))
    ordered = sorted(healths, key=lambda each: first_seen[place_of(each.machine)])
    return [(place, list(each)) for place, each in groupby(ordered, key=lambda each: place_of(each.machine))]


def _next_step(healths: list[MachineHealth], *, has_models: bool) -> NextStep | None:
    if all(each.newest is None for each in healths):
        how = "Read the files that the plant file names, or send readings to /api/v1/readings:"
        return NextStep("There are no readings yet.", how, "andon ingest")
    if not has_models:
        return NextStep(
            "No model has been trained yet.", "Train and judge the models of the plant file:", "andon train"
        )
    if all(each.level is None for each in healths):
        how = "Let the models look at the newest readings:"
        return NextStep("No machine has been assessed lately.", how, "andon score")
    return None
