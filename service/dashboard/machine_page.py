"""A machine's page: its risk and its signals over time, its alerts, and why."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ingest.plant import Plant
from models.tasks.table import task_of
from service.alerts.alert import Alert, AlertState
from service.alerts.book import list_alerts
from service.alerts.kept_money import kept_money
from service.alerts.rank import where_to_look_first
from service.api.events import records
from service.api.given import Seen, machine_named, moment
from service.api.iso import Iso
from service.dashboard import chart
from service.dashboard.chart import Chart, Mark, Span, draw
from service.dashboard.first_page import place_of
from service.dashboard.render import page
from service.grades import grade_of_alert, grade_of_model, kept_grades
from service.levels import LevelHistory, level_histories
from service.outlooks import outlooks
from service.overview import machine_health, signal_states
from service.phases import phases_on
from service.series import Series, signal_series, thin

router = APIRouter()

SPANS = ((1, "1 day"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year"))
_MARKED = ("failure", "maintenance", "inspection", "stop", "error")
# Pieces, orders and shifts happen all day and say little about health; the API has them.
_TOLD = (*_MARKED, "state")
_LEGEND = (
    ("failure", "failure"),
    ("maintenance", "maintenance"),
    ("error", "error"),
    ("stop", "stop or inspection"),
    ("alert", "alert raised"),
)
_DRAWN = ("error", "stop", "maintenance", "alert", "failure")
"""Order of drawing: a failure is never hidden under its repair."""
_MOST_MARKS, _MOST_ROWS = 150, 50


@router.get("/machines/{machine:path}")
def machine_page(
    request: Request,
    machine: str,
    seen: Seen,
    days: Annotated[int, Query(ge=1, le=3660)] = 7,
    until: Iso | None = None,
) -> Response:
    """Show one machine over the last days, or over the days before ``until``."""
    plant, store, state = seen.room.plant, seen.room.store, seen.room.state
    found, machine_class = machine_named(plant, machine)
    end = min(seen.now, moment(until, plant, "query.until")) if until else seen.now
    length = timedelta(days=days)
    span = Span(end - length, end, plant.zone)
    health = machine_health(seen.room, seen.sampling, seen.now, found.name)
    with state.read() as connection:
        past = list_alerts(connection, states=tuple(AlertState), machine=found.name, limit=_MOST_ROWS)
        lost = kept_money(connection)
        phases = phases_on(connection, found.name, plant.alerts)
    events = records(store.events(machines=[found.name], kinds=_TOLD, start=span.start, end=end))
    marks = sorted([*_event_marks(events), *_alert_marks(past)], key=lambda each: _DRAWN.index(each.kind))
    signals = tuple(each.name for each in machine_class.slow_signals)
    series = signal_series(store, found.name, machine_class.name, signals, (span.start, end), chart.PIXELS)
    histories = level_histories(state, found.name, span.start, end)
    ranked = where_to_look_first(health.alerts, plant.costs, seen.now, seen.room.registry.card, lost)
    kept = kept_grades(state, plant, [found.name])[found.name]
    said = {each.model: each for each in health.said}
    ahead = {each.model: each.words() for each in outlooks(seen.room, health.said)}
    silent = health.newest is not None and not any(map(len, series.values()))
    return page(
        request,
        "machine.html",
        frame=chart,
        health=health,
        phases=phases,
        ranked=[each.alert for each in ranked],
        place=place_of(found),
        spans=SPANS,
        chosen=days,
        until_text=_iso(end) if until else "",
        start_text=_iso(span.start),
        end_text=_iso(end),
        earlier=_iso(end - length),
        later=_iso(end + length) if end < seen.now else "",
        silent_hint=_iso(health.newest) if silent and health.newest else "",
        legend=_LEGEND,
        risks=[
            (
                _risk(each, plant, span, marks),
                grade_of_model(plant, each.model, kept),
                said.get(each.model),
                ahead.get(each.model),
            )
            for each in histories
        ],
        alert_grades={each.number: grade_of_alert(plant, each.model, kept) for each in health.alerts},
        signals=[
            (draw(each.name, each.unit, series[each.name], span, marks=marks), kept.get(each.name))
            for each in machine_class.slow_signals
        ],
        silent_signals=[
            each for each in signal_states(seen.room, seen.sampling, seen.now, found.name, health.newest) if each.stale
        ],
        trained=bool(seen.room.registry.versions()),
        events=events[::-1][:_MOST_ROWS],
        meanings={each.code: each.means for each in plant.failure_codes},
        more_events=len(events) > _MOST_ROWS,
        past=past,
    )


def _risk(history: LevelHistory, plant: Plant, span: Span, marks: Sequence[Mark]) -> Chart:
    shown = thin(history.series, span.start, span.end, chart.PIXELS)
    threshold = 100 * history.threshold
    values = Series(shown.time, 100 * shown.value)
    highest = max(threshold, float(values.value.max(initial=0.0)))
    bounds = (0.0, min(101, 1.15 * highest))
    return draw(_said_by(history.model, plant), "%", values, span, marks=marks, threshold=threshold, bounds=bounds)


def _said_by(model: str, plant: Plant) -> str:
    """Return a model's name and what its number means; the name alone if the plant file has it no more."""
    for entry in plant.models:
        if entry.name == model:
            return f"{model}: {task_of(entry).means(entry)}"
    return model


def _event_marks(events: Iterable[dict[str, Any]]) -> list[Mark]:
    shown = [each for each in events if each["kind"] in _MARKED]
    if len(shown) > _MOST_MARKS:
        shown = [each for each in shown if each["kind"] in ("failure", "maintenance")][-_MOST_MARKS:]
    return [
        Mark(
            each["time"],
            each["end"],
            "stop" if each["kind"] == "inspection" else each["kind"],
            " ".join(filter(None, (each["kind"], each["component"], each["code"]))),
        )
        for each in shown
    ]


def _alert_marks(alerts: Iterable[Alert]) -> list[Mark]:
    return [Mark(each.condition_begin, None, "alert", f"alert {each.number}: {each.cause}") for each in alerts]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
