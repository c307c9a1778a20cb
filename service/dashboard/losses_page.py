"""The pages of losses: where time and energy went, what costs most, and which readings cost pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ingest.errors import AndonError
from ingest.plant_energy import Meter
from models.efficiency.energy.meter import metered
from models.efficiency.energy.review import EnergyReview, review_energy
from models.efficiency.oee import Oee
from models.levers.plant_levers import lever_names, plant_levers
from service.alerts.alert import Alert
from service.alerts.book import list_alerts
from service.alerts.kept_money import kept_money
from service.alerts.rank import Ranked, where_to_look_first
from service.answers import full_hour
from service.api.given import Seen, Sight, moment
from service.api.iso import Iso
from service.dashboard import chart
from service.dashboard.chart import Span
from service.dashboard.energy_chart import EnergyPicture, energy_picture
from service.dashboard.loss_bars import pareto_rows, tree_rows
from service.dashboard.render import page
from service.levers import DEFAULT_SPAN, newest_reading
from service.losses import losses_between, machines_in

router = APIRouter()

SPANS = ((1, "1 day"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year"))
_LOSSES = ("time loss", "quality loss", "process shift", "energy loss")
_FACTORS = (
    ("availability", "Availability", "A = APT / PBT"),
    ("effectiveness", "Effectiveness", "E = PRI × PQ / APT"),
    ("quality_ratio", "Quality ratio", "QR = GQ / PQ"),
    ("oee", "OEE", "A × E × QR"),
)
_MOST = 12


@router.get("/losses")
def losses_page(
    request: Request,
    seen: Seen,
    line: Annotated[str, Query(description="Only this line.")] = "",
    days: Annotated[int, Query(ge=1, le=3660)] = 7,
    until: Iso | None = None,
    energy: Annotated[bool, Query(description="Whether to learn baselines that are not known yet.")] = False,
) -> Response:
    """Show where time, pieces and energy of a line went over the last days, or over the days before ``until``.

    A baseline takes seconds to learn, and is kept for an hour; nobody who asks for lost time waits for it.
    """
    plant = seen.room.plant
    end = min(seen.now, moment(until, plant, "query.until")) if until else seen.now
    length = timedelta(days=days)
    span = Span(end - length, end, plant.zone)
    machines = machines_in(plant, line or None, None)
    found = losses_between(plant, seen.room.store, span.start, end, line=line or None, most=_MOST)
    return page(
        request,
        "losses.html",
        frame=chart,
        lines=list(dict.fromkeys(each.line for each in plant.machines if each.line)),
        line=line,
        spans=SPANS,
        chosen=days,
        span=span,
        until_text=_iso(end) if until else "",
        earlier=_iso(end - length),
        later=_iso(end + length) if end < seen.now else "",
        found=found,
        tree=tree_rows(found.tree),
        pareto=pareto_rows(found.top),
        factors=[(title, formula, *_factor(found.oee, name)) for name, title, formula in _FACTORS],
        alerts=_alerts(seen, machines),
        energy=list(_energy(seen, machines, span, learn=energy)),
        learning=energy,
        levers=lever_names(plant),
    )


@router.get("/levers/{name:path}")
def levers_page(
    request: Request, seen: Seen, name: str, machine: Annotated[str, Query(description="Only of this machine.")] = ""
) -> Response:
    """Show at which readings rejects are more frequent, over the 180 days up to the newest reading."""
    room = seen.room
    end = full_hour(min(newest_reading(room.plant, room.store, name) or seen.now, seen.now)) + timedelta(hours=1)
    found = seen.answers.to(
        ("levers", name, machine, end, seen.reached),
        lambda: plant_levers(room.plant, room.store, name, end - DEFAULT_SPAN, end, machine or None),
    )
    widest = max((each.contrast.share for each in found.levers), default=0.0)
    return page(
        request, "levers.html", live=False, found=found, machine=machine, names=lever_names(room.plant), widest=widest
    )


def _factor(oee: Oee, name: str) -> tuple[float | None, str]:
    return getattr(oee, name), oee.reasons().get(name, "")


def _alerts(seen: Sight, machines: list[str]) -> list[Ranked]:
    """Return open alerts about losses, the dearest first."""
    with seen.room.state.read() as connection:
        alerts: list[Alert] = [
            each for each in list_alerts(connection) if each.kind in _LOSSES and each.machine in machines
        ]
        lost = kept_money(connection)
    return where_to_look_first(alerts, seen.room.plant.costs, seen.now, seen.room.registry.card, lost)


@dataclass(frozen=True, slots=True)
class MeterShown:
    """One meter of one machine on the page.

    Attributes
    ----------
    picture : ``None`` where there is none, or nobody worked it out yet
    why : why no finding rests on it, or there is no picture; empty otherwise
    known : whether it was worked out
    """

    meter: Meter
    machine: str
    picture: EnergyPicture | None = None
    why: str = ""
    known: bool = True


def _energy(seen: Sight, machines: list[str], span: Span, *, learn: bool) -> Iterator[MeterShown]:
    """Yield the meters of machines, with what is known of them or, where it is to be learnt, what they tell."""
    plant, end = seen.room.plant, full_hour(span.end)
    asked = ((meter, each) for meter in plant.meters for each in metered(plant, meter) if each in machines)
    for meter, machine in asked:
        question = ("energy", meter.name, machine, end, seen.reached)
        if not learn and not seen.answers.known(question):
            yield MeterShown(meter, machine, known=False)
            continue
        try:
            review: EnergyReview = seen.answers.to(
                question, partial(review_energy, plant, meter, machine, seen.room.store, end)
            )
        except AndonError as error:
            yield MeterShown(meter, machine, why=str(error))
        else:
            yield MeterShown(meter, machine, energy_picture(review, span), review.reason)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
