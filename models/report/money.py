"""What other thresholds would have cost, with the chosen one and the ways without a model marked."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.baselines.table import WORDS
from models.report.axis import number
from models.report.picture import Picture
from models.report.scale import linear, log_odds


def money_picture(report: Mapping[str, Any]) -> str:
    """Return the picture; empty where there is no curve."""
    curve = report.get("money_curve")
    if not curve or not curve["threshold"] or not report.get("money"):
        return ""
    currency = str(report["currency"])
    others = {way: cost for way, cost in report["money"].items() if way != "model" and cost is not None}
    # Thresholds that raise alerts all the time would squeeze everything else.
    roof = 2.5 * max([*others.values(), 1.0])
    costs: Sequence[float] = curve["cost"]
    top = min(max([*costs, *others.values()]), roof) or 1.0
    thresholds = [*curve["threshold"], *(each for each in report["threshold"] if 0 < each < 1)]
    picture = Picture(
        f"Cost of the judged time at each threshold, in {currency}",
        log_odds(min(thresholds), max(thresholds)),
        linear(0.0, 1.06 * top, 4),
        x_title="threshold of the level from which an alert is raised",
        y_title=f"cost of the judged time, {currency}",
        width=560,
        height=310,
    )
    for way, cost, column in _spread(others, 1.06 * top):
        picture.across(cost, "way", f"{WORDS.get(way, way)} {number(cost, 6)}", column=column)
    picture.line(list(zip(curve["threshold"], costs, strict=True)), "trace found")
    best = min(range(len(costs)), key=lambda place: costs[place])
    picture.dots([(curve["threshold"][best], costs[best])], "hollow", 5)
    for row, chosen in enumerate(sorted(set(report["threshold"]))):
        if 0 < chosen < 1:
            picture.upright(chosen, "chosen", "chosen before, on training data" if row == 0 else "", row=0)
    return picture.svg()


def _spread(others: Mapping[str, float], top: float) -> list[tuple[str, float, int]]:
    """Return the ways inside the picture, each with a column for its words, so that none are written over others."""
    placed: list[tuple[str, float, int]] = []
    for way, cost in sorted(others.items(), key=lambda each: each[1]):
        if cost <= top:
            taken = {column for _, other, column in placed if abs(cost - other) < 0.07 * top}
            placed.append((way, cost, min({0, 1, 2} - taken, default=2)))
    return placed
