"""Rendering: templates, and how times and numbers are written on pages."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ingest.plant import Plant
from service.access.actor import told_by
from service.access.csrf import FIELD, is_token
from service.api.body import content_type
from service.api.gate import asked_of
from service.api.problem import ProblemError
from service.api.text import refuse_unkeepable
from service.dashboard.axis import number
from service.dashboard.sealed_forms import SealedForms

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
"""Styles and scripts, ours and those of others."""
NAME_COOKIE = "andon_name"
"""Remembers who acknowledges alerts in this browser; a convenience, not a proof of who it is."""


def page(request: Request, template: str, *, status: int = 200, live: bool = True, **context: object) -> Response:
    """Render a page of the open plant; every text in it is escaped.

    Parameters
    ----------
    live : whether it brings itself up to date; not where all of it is a form, or is said only once
    """
    asked = asked_of(request)
    plant = asked.room.plant
    now: datetime = request.app.state.clock().astimezone(UTC)
    words = {
        "plant": plant,
        "now": now,
        "path": request.url.path,
        "name": told_by(remembered_name(request)),
        "actor": asked.actor,
        "reaches_all": asked.room.whole is None,
        "csrf": asked.csrf,
        "newest": getattr(request.state, "newest", None) if live and asked.actor.by != "nobody" else None,
    }
    return HTMLResponse(
        _environment().get_template(template).render({**words, **writers(plant, now), **context}), status
    )


def document(template: str, plant: Plant, now: datetime, **context: object) -> str:
    """Render a page that stands alone: its style is in it, and it asks for no other file."""
    style = Markup((STATIC / "andon.css").read_text(encoding="utf-8"))  # noqa: S704 - our own
    words = {"plant": plant, "now": now, "style": style}
    return _environment().get_template(template).render({**words, **writers(plant, now), **context})


class _Kept(StaticFiles):
    """Files that a browser keeps, and asks whether they are still the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


def static_files() -> StaticFiles:
    """Return the application that serves the style sheet and the scripts."""
    return _Kept(directory=STATIC)


def writers(plant: Plant, now: datetime) -> Mapping[str, Callable[..., object]]:
    """Return how a template writes times and numbers: in the plant's zone, with a real minus."""

    def moment(at: datetime | None) -> Markup | str:
        if at is None:
            return "–"
        local = at.astimezone(plant.zone)
        today = now.astimezone(plant.zone)
        day = "today" if local.date() == today.date() else f"{local:%a} {local.day} {local:%b}"
        year = "" if local.year == today.year else f" {local.year}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(), f"{local:%Y-%m-%d %H:%M %Z}", f"{day}{year} {local:%H:%M}"
        )

    def left(until: datetime) -> str:
        return f"in {span_words(until - now)}" if until > now else f"{span_words(now - until)} ago"

    return {
        "moment": moment,
        "left": left,
        "number": number,
        "percent": percent,
        "span_words": span_words,
        "link": lambda text: quote(str(text)),
    }


def percent(share: float | None) -> str:
    """Write a share as a percentage that never rounds to certainty.

    Examples
    --------
    >>> percent(0.623), percent(0.9996), percent(0.0004), percent(None)
    ('62 %', 'over 99 %', 'under 1 %', '–')
    """
    if share is None:
        return "–"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def span_words(span: timedelta) -> str:
    """Write a span roughly, as people say it.

    Examples
    --------
    >>> span_words(timedelta(minutes=4)), span_words(timedelta(hours=30)), span_words(timedelta(days=5))
    ('4 min', '30 h', '5 days')
    """
    minutes = span / timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 72 * 60 else f"{minutes / 1440:,.0f} days"


LONGEST_FIELD = 10_000
"""Characters of a field of a form; none is cut, as what is left could mean something else."""


def read_form(request: Request, body: bytes) -> dict[str, str]:
    """Return the fields of a form that a page sent.

    Raises
    ------
    ProblemError
        415 for a body that is no form, 422 for one that cannot be read or kept, 403 for one that no page of
        this session made.
    """
    if content_type(request.headers) != "application/x-www-form-urlencoded":
        raise ProblemError(415, "this address takes the forms of the dashboard; programs use /api/v1")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise ProblemError(422, f"the form cannot be read: {error}") from error
    read = {name: values[-1].strip() for name, values in fields.items()}
    if long := [name for name, text in read.items() if len(text) > LONGEST_FIELD]:
        raise ProblemError(422, f"the field {long[0][:50]!r} has more than {LONGEST_FIELD:,} characters")
    expected, given = asked_of(request).csrf, read.pop(FIELD, "")
    if expected and not is_token(expected, given):
        raise ProblemError(403, "this form is not from this session; load the page again, and send it from there")
    refuse_unkeepable(read.items())
    return read


def person(fields: Mapping[str, str]) -> str:
    """Return who sends the form: whoever is signed in, or else who they say they are.

    Raises
    ------
    ProblemError
        422 when the name is missing.
    """
    name = told_by(fields.get("by", "")[:200])
    if not name:
        raise ProblemError(422, "please say who you are: the field 'Your name' is empty")
    return name


def remembered_name(request: Request) -> str:
    """Return the name that this browser sent last; empty if it sent none."""
    return unquote(request.cookies.get(NAME_COOKIE, ""), errors="replace")[:200]


def back_to(path: str, name: str) -> Response:
    """Send the browser to a page after a form, remembering the name."""
    response = RedirectResponse(path, 303)
    if name:
        response.set_cookie(NAME_COOKIE, quote(name), max_age=365 * 86_400, httponly=True, samesite="strict")
    return response


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        extensions=[SealedForms],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
