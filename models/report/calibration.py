"""Whether probabilities hold: how often it happened against how often it was said to."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.judging.interval import wilson
from models.report.picture import Picture
from models.report.scale import shares


def calibration_pictures(reliability: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return caption and picture of each horizon that was judged.

    Parameters
    ----------
    reliability : of each horizon what was said and what happened in bins of equal count, and the error
    """
    return [
        (_caption(each), _picture(each)) for each in reliability if each.get("error") is not None and each.get("said")
    ]


def _caption(reliability: Mapping[str, Any]) -> str:
    return (
        f"Within {reliability['horizon']}: off by {reliability['error']:.2g} on average, over"
        f" {reliability['rows']:,} assessments, {reliability['rows_before_events']:,} of them with an event ahead."
    )


def _picture(reliability: Mapping[str, Any]) -> str:
    said, happened = reliability["said"], reliability["happened"]
    counts = reliability.get("counts") or [reliability["rows"] // len(said)] * len(said)
    intervals = [wilson(round(share * count), count) for share, count in zip(happened, counts, strict=True)]
    top = min(1.0, 1.1 * max([*said, *(each.high for each in intervals), 0.01]))
    picture = Picture(
        _caption(reliability),
        shares(top),
        shares(top),
        x_title="said: probability of an event",
        y_title="happened: share followed by an event",
    )
    picture.line([(0.0, 0.0), (top, top)], "ideal")
    for place, each in zip(said, intervals, strict=True):
        picture.whisker(place, each.low, each.high, "whisker")
    picture.line(list(zip(said, happened, strict=True)), "trace found")
    picture.dots(zip(said, happened, strict=True), "dot")
    return picture.svg()
