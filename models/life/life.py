"""◆ The remaining life of one machine at one moment, in the three numbers that an engineer needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeGuard

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.life.lives import Lives

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Quantiles that a model tells; the outer two bound 90 %."""

TOLD = (0.1, 0.5, 0.9)
"""Those of them that people are told."""


@dataclass(frozen=True, slots=True)
class Life:
    """Hours that are left at three quantiles.

    Attributes
    ----------
    low, middle, high : hours at 10, 50 and 90 %, ascending; infinite beyond ``reach``
    reach : up to how many hours the model tells lives
    """

    low: float
    middle: float
    high: float
    reach: float

    @classmethod
    def of(cls, quantiles: NDArray[np.float64], reach: float) -> Self:
        """Choose the three from all that a model tells, shape (n_levels,)."""
        low, middle, high = (float(quantiles[LEVELS.index(each)]) for each in TOLD)
        return cls(low, middle, high, reach)

    def to_dict(self) -> dict[str, float | None]:
        """Return it as JSON knows it: hours beyond the reach are null."""
        hours = {"10": self.low, "50": self.middle, "90": self.high}
        return {name: each if math.isfinite(each) else None for name, each in hours.items()} | {"reach": self.reach}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        low, middle, high = (math.inf if data[name] is None else float(data[name]) for name in ("10", "50", "90"))
        return cls(low, middle, high, float(data["reach"]))


class TellsLife(Protocol):
    """A learner that learns how long machines lived, and tells how long they will.

    Attributes
    ----------
    reach : hours up to which it tells lives
    """

    reach: float

    def card(self) -> Mapping[str, Any]:
        """Return what the model card says of it, JSON values only."""
        ...

    def told(self, lives: Lives) -> Any:
        """Take how long the machines of the training table lived, row by row; ``fit`` learns from it."""
        ...

    def life(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return hours at each of ``LEVELS``, shape (n, n_levels), infinite beyond ``reach``.

        NaN where nothing degrades.
        """
        ...


def tells_life(learner: object) -> TypeGuard[TellsLife]:
    """Say whether a learner tells lives; ``reach`` is known once it was fitted."""
    return callable(getattr(learner, "life", None)) and callable(getattr(learner, "told", None))
