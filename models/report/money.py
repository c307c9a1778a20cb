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
        width=980,
        height=340,
    )
    for way, cost in _spread(others, 1.06 * top):
        picture.across(cost, f"way {way.replace('_', '-')}", f"{WORDS.get(way, way)} {number(cost, 6)}")
    picture.line(list(zip(curve["threshold"], costs, strict=True)), "trace found")
    best = min(range(len(costs)), key=lambda place: costs[place])
    picture.dots([(curve["threshold"][best], costs[best])], "hollow", 5)
    for row, chosen in enumerate(sorted(set(report["threshold"]))):
        if 0 < chosen < 1:
            picture.upright(chosen, "chosen", "chosen before, on training data" if row == 0 else "", row=0)
    return picture.svg()


def _spread(others: Mapping[str, float], top: float) -> list[tuple[str, float]]:
    """Return the ways inside the picture, without those that would be written over another one."""
    kept: list[tuple[str, float]] = []
    for way, cost in sorted(others.items(), key=lambda each: each[1]):
        if cost <= top and all(abs(cost - other) > 0.055 * top for _, other in kept):
            kept.append((way, cost))
    return kept
