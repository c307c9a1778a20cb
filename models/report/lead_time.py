"""How long before events alerts came: the share of events that were found with so much time to spare."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.report.picture import Picture
from models.report.scale import Scale, linear
from models.report.spans import unit_of


def lead_picture(events: Sequence[Mapping[str, Any]], horizon_hours: float) -> str:
    """Return the picture; empty when no event was judged."""
    judged = [event for event in events if event["verdict"] != "not judged"]
    if not judged:
        return ""
    leads = sorted(float(event["lead_hours"]) for event in judged if event["lead_hours"] is not None)
    reach = max([horizon_hours, *leads])
    each, unit = unit_of(reach)
    picture = Picture(
        f"Of {len(judged)} events {len(leads)} were found in time",
        linear(0.0, reach / each),
        Scale(lambda value: value, [(share / 4, f"{25 * share} %") for share in range(5)]),
        x_title=f"at least so many {unit} before the event",
        y_title="share of events found",
    )
    count = len(judged)
    steps = [(0.0, len(leads) / count)]
    for place, lead in enumerate(leads):
        steps.append((max(lead, 0.0) / each, (len(leads) - place - 1) / count))
    picture.steps([*steps, (reach / each, 0.0)], "trace found")
    picture.dots([(max(lead, 0.0) / each, 0.0) for lead in leads], "tick-dot", 3)
    for row, needed in enumerate(sorted({float(event["needed_hours"]) for event in judged})[:3]):
        if needed:
            picture.upright(needed / each, "needed", "needed", row=row)
    if leads:
        middle = leads[len(leads) // 2] if len(leads) % 2 else (leads[len(leads) // 2 - 1] + leads[len(leads) // 2]) / 2
        picture.upright(middle / each, "median", "median", row=3)
    return picture.svg()
