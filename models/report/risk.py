"""What the model said before each event, one small picture an event."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.report.picture import Picture, Point
from models.report.scale import Scale, falling, linear, rarity
from models.report.spans import unit_of

MOST = 24
_ORDER = {"missed": 0, "late": 1, "found": 2, "not judged": 3}


def risk_pictures(traces: Sequence[Mapping[str, Any]], horizon_hours: float) -> list[tuple[str, str, str]]:
    """Return caption, verdict and picture of the events, those that were missed first, ``MOST`` of them."""
    shown = sorted(traces, key=lambda trace: (_ORDER.get(trace["verdict"], 9), trace["begin"]))[:MOST]
    return [(_caption(trace), str(trace["verdict"]), _picture(trace, horizon_hours)) for trace in shown]


def _caption(trace: Mapping[str, Any]) -> str:
    mode = f", {trace['mode']}" if trace["mode"] else ""
    return f"{trace['machine']}{mode}, {str(trace['begin'])[:16].replace('T', ' ')}"


def _picture(trace: Mapping[str, Any], horizon_hours: float) -> str:
    reach = max([3 * horizon_hours, *trace["hours"][:1]])
    each, unit = unit_of(reach)
    picture = Picture(
        f"Level of {_caption(trace)}: {trace['verdict']}",
        falling(reach / each, most=5),
        _levels(trace),
        x_title=f"{unit} before the event",
        y_title="one in so many usual windows is as strange" if _rare(trace) else "level",
        width=360,
        height=190,
    )
    picture.span(horizon_hours / each, trace["needed_hours"] / each, "useful")
    picture.across(trace["threshold"], "threshold")
    picture.line(_points(trace, each), f"trace {_kind(trace)}")
    for alert in trace["alerts"]:
        picture.upright(alert / each, "alert-mark")
    return picture.svg()


def _points(trace: Mapping[str, Any], each: float) -> list[Point | None]:
    return [
        None if level is None else (hours / each, level)
        for hours, level in zip(trace["hours"], trace["level"], strict=True)
    ]


def _rare(trace: Mapping[str, Any]) -> bool:
    """Whether levels are told apart near 1 only, as those of a detector are."""
    return bool(trace["threshold"] > 0.9)


def _levels(trace: Mapping[str, Any]) -> Scale:
    known = [level for level in trace["level"] if level is not None]
    if _rare(trace):
        return rarity(max([*known, trace["threshold"]]))
    return linear(0.0, min(1.0, 1.08 * max([*known, trace["threshold"], 0.01])), 4)


def _kind(trace: Mapping[str, Any]) -> str:
    return str(trace["verdict"]).replace(" ", "-")
