"""Whether probabilities are kept: how often it happened, beside how often it was said to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BINS = 10
PROMISED = 0.05
"""Reliability error from which on probabilities are not to be taken at their word."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities lie from what happened, in bins of about as many assessments.

    Attributes
    ----------
    horizon : length in words
    rows, events : assessments whose whole horizon was observed, and those of them that an event follows
    said, happened : mean probability and share of each bin, ascending by what was said
    counts : assessments in each bin
    average_precision : area under precision over recall (PR-AUC); ``None`` where nothing or only one outcome was
        judged. By chance it would be the share of assessments with an event ahead.
    """

    horizon: str
    rows: int
    events: int
    said: tuple[float, ...]
    happened: tuple[float, ...]
    counts: tuple[int, ...]
    average_precision: float | None

    @classmethod
    def of(cls, horizon: str, said: NDArray[np.float64], happened: NDArray[np.bool_]) -> Self:
        """Compare probabilities with outcomes.

        Parameters
        ----------
        said : array of shape (n,), finite
        happened : array of shape (n,)

        Examples
        --------
        >>> Reliability.of("24 h", np.array([0.0, 1.0]), np.array([False, True])).error
        0.0
        """
        order = np.argsort(said, kind="stable")
        bins = [each for each in np.array_split(order, BINS) if len(each)]
        return cls(
            horizon,
            len(said),
            int(happened.sum()),
            tuple(float(said[each].mean()) for each in bins),
            tuple(float(happened[each].mean()) for each in bins),
            tuple(len(each) for each in bins),
            average_precision(said, happened),
        )

    @property
    def error(self) -> float | None:
        """Weighted mean |said − happened| over ten bins of equal count; ``None`` where nothing was judged."""
        if not self.rows:
            return None
        gaps = zip(self.said, self.happened, self.counts, strict=True)
        return sum(abs(said - happened) * count for said, happened, count in gaps) / self.rows

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "horizon": self.horizon,
            "error": self.error,
            "rows": self.rows,
            "rows_before_events": self.events,
            "said": list(self.said),
            "happened": list(self.happened),
            "average_precision": self.average_precision,
        }


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Probabilities within one horizon and what came of them; parts that do not overlap can be put together.

    Attributes
    ----------
    said : array of shape (n,)
    happened : array of shape (n,)
    """

    horizon: str
    said: NDArray[np.float64]
    happened: NDArray[np.bool_]

    @classmethod
    def of(cls, horizon: str, said: NDArray[np.float64], labels: NDArray[np.int8], over: NDArray[np.bool_]) -> Self:
        """Take the rows that can be judged.

        Parameters
        ----------
        said : probability of each row; NaN where nothing was said
        labels : 1 (event within the horizon), 0 (none), −1 (inside an event that lasts)
        over : whether the row's whole horizon was observed
        """
        judged = np.isfinite(said) & (labels >= 0) & over
        return cls(horizon, said[judged], labels[judged] == 1)


def average_precision(said: NDArray[np.float64], happened: NDArray[np.bool_]) -> float | None:
    """Return the area under precision over recall, in steps; ``None`` where nothing or only one outcome is.

    Examples
    --------
    >>> average_precision(np.array([0.9, 0.5, 0.4, 0.1]), np.array([True, False, True, False]))
    0.8333333333333333
    """
    if not happened.any() or happened.all():
        return None
    order = np.argsort(-said, kind="stable")
    # Rows of equal probability cannot be told apart: precision is taken where the last of them is in.
    last = np.flatnonzero(np.r_[np.diff(said[order]) != 0, True])
    right = np.cumsum(happened[order])[last]
    gained = np.diff(right, prepend=0) / right[-1]
    return float((gained * right / (last + 1)).sum())


def reliabilities(parts: Sequence[Sequence[Outcomes]]) -> tuple[Reliability, ...]:
    """Return how far each horizon's probabilities can be taken at their word, over all parts.

    A horizon that only some parts could learn is judged on those.
    """
    found: dict[str, list[Outcomes]] = {}
    for part in parts:
        for each in part:
            found.setdefault(each.horizon, []).append(each)
    return tuple(
        Reliability.of(
            horizon, np.concatenate([each.said for each in own]), np.concatenate([each.happened for each in own])
        )
        for horizon, own in found.items()
    )


def reliability_line(reliability: Mapping[str, Any]) -> str:
    """Return one line of a card.

    Examples
    --------
    >>> reliability_line({"horizon": "7 d", "error": 0.031, "rows": 900, "rows_before_events": 45})
    'within 7 d: off by 0.031 on average, on 900 assessments of which 45 had a failure ahead'
    """
    error = reliability["error"]
    if error is None:
        return f"within {reliability['horizon']}: not judged, no such span was observed to its end"
    doubt = "" if error <= PROMISED else f" (more than {PROMISED:g}: do not take them at their word)"
    return (
        f"within {reliability['horizon']}: off by {error:.2g} on average{doubt}, on {reliability['rows']:,} assessments"
        f" of which {reliability['rows_before_events']:,} had a failure ahead"
    )
