"""Pages of models: which version is in use, and what each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from models.registry.registry import Version
from models.report.page import report_page, style
from service.api.given import Room
from service.api.models import unreadable, version_named, versions_by_model
from service.api.problem import ProblemError
from service.dashboard.axis import number
from service.dashboard.card import readable, share_text
from service.dashboard.render import page

router = APIRouter()

REPORT_STYLE = "/report.css"

_SECTIONS = (
    ("What it is for", ("task", "machine_class", "target", "horizon", "needed_lead", "plant")),
    ("How it was judged", ("judged",)),
    ("When it speaks", ("threshold",)),
    ("What it learnt from", ("data", "components", "claim")),
    ("What may know too much", ("leaks",)),
    ("How it sees", ("recipe",)),
    ("Known limits", ("limits",)),
    ("Made with", ("libraries",)),
)


_JUDGED_FIRST = (
    "events",
    "found",
    "late",
    "recall",
    "track_record",
    "precision",
    "false_alarms_per_machine_week",
    "lead_hours",
    "early_enough",
    "money",
    "baselines",
    "machine_weeks",
)

_DRAWN = ("money_curve",)
"""What only a picture makes readable: the report shows it."""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in the list, its judgement in words."""

    version: str
    created: datetime
    live: bool
    found: str
    right: str
    false_alarms: str


@router.get("/models")
def models_page(request: Request, room: Room) -> Response:
    """Show the models and their versions, newest first."""
    entries = {entry.name: entry for entry in room.plant.models}
    models = [
        {
            "name": name,
            "entry": entries.get(name),
            "versions": [_line(each) for each in reversed(versions)],
            "unreadable": unreadable(room, name),
        }
        for name, versions in versions_by_model(room).items()
    ]
    return page(request, "models.html", models=models)


@router.get("/models/{model:path}/versions/{version}/report")
def report_of_version(model: str, version: str, room: Room) -> Response:
    """Show how one version was judged, with pictures."""
    card = version_named(room, model, version).card
    judged = card.get("judged") or {}
    if "found" not in judged:  # not judged, or not by alerts
        raise ProblemError(404, f"version {version!r} of model {model!r} was not judged by alerts")
    marks = {"model": model, "watermark": card.get("watermark") or judged.get("watermark")}
    return HTMLResponse(report_page({**judged, **marks}, stylesheet=REPORT_STYLE))


@router.get(REPORT_STYLE)
def report_style() -> Response:
    """Return the style of reports."""
    return Response(style(), media_type="text/css")


@router.get("/models/{model:path}/versions/{version}")
def card_page(request: Request, model: str, version: str, room: Room) -> Response:
    """Show the card of one version."""
    found = version_named(room, model, version)
    currency = str(found.card.get("currency", ""))
    parts = [(title, readable(part, currency)) for title, part in sections(found.card)]
    return page(request, "card.html", live=False, version=found, sections=parts)


def sections(card: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Return a card in the order in which a person reads it; what we do not know comes last.

    Examples
    --------
    >>> sections({"task": "anomaly", "limits": ["young"], "model": "m", "extra": 1})
    [('What it is for', {'task': 'anomaly'}), ('Known limits', ['young']), ('More', {'extra': 1})]
    """
    found: list[tuple[str, object]] = []
    left = dict(card)
    left.pop("model", None)
    if isinstance(judged := left.get("judged"), Mapping):
        left["judged"] = {key: judged[key] for key in (*_JUDGED_FIRST, *judged) if key in judged and key not in _DRAWN}
    for title, keys in _SECTIONS:
        part = {key: left.pop(key) for key in keys if key in left}
        if part:
            found.append((title, next(iter(part.values())) if len(keys) == 1 else part))
    return [*found, ("More", left)] if left else found


def _line(version: Version) -> VersionLine:
    judged = version.card.get("judged")
    if not isinstance(judged, Mapping):
        return VersionLine(version.version, version.created, version.live, "not judged", "–", "–")
    record = judged.get("track_record") or {}
    return VersionLine(
        version.version,
        version.created,
        version.live,
        found=_counted(judged.get("found"), judged.get("events"), judged.get("recall")),
        right=_counted(record.get("right"), record.get("alerts"), judged.get("precision")),
        false_alarms=_rate(judged.get("false_alarms_per_machine_week")),
    )


def _counted(count: object, total: object, share: object) -> str:
    """Write '12 of 15, 80 % [55–93 %]'."""
    words = f"{count} of {total}" if count is not None and total is not None else "–"
    if not isinstance(share, Mapping) or share.get("value") is None:
        return words
    return f"{words}, {share_text(share)}"


def _rate(rate: object) -> str:
    if not isinstance(rate, Mapping) or rate.get("value") is None:
        return "–"
    top = "∞" if rate.get("high") is None else number(rate["high"], 2)
    return f"{number(rate['value'], 2)} [{number(rate['low'], 2)}–{top}]"
