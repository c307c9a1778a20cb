"""What every other threshold would have cost on the judged time: to be looked at, never to choose by."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.plant import Costs
from models.judging.ground import Ground
from models.judging.money import cost

POINTS = 80
_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Judged:
    """Levels of one judged part that have a value, and where alerts on them would be right."""

    level: NDArray[np.float64]
    ground: Ground


@dataclass(frozen=True, slots=True)
class MoneyCurve:
    """Cost, false alarms and events found at each threshold, ascending; arrays of shape (n_thresholds,)."""

    threshold: NDArray[np.float64]
    cost: NDArray[np.float64]
    found: NDArray[np.intp]
    false: NDArray[np.intp]

    @classmethod
    def of(cls, parts: Sequence[Judged], costs: Costs, chosen: Sequence[float]) -> "MoneyCurve | None":
        """Try thresholds evenly in log-odds between the lowest and the highest level; ``None`` without a level."""
        levels = np.concatenate([part.level for part in parts]) if parts else np.empty(0)
        inside = levels[(levels > 0) & (levels < 1)]
        if not len(inside):
            return None
        # The lowest twentieth would be over all the time and only squeeze the rest.
        low, high = (_log_odds(float(each)) for each in (np.quantile(inside, 0.05), inside.max()))
        even = 1 / (1 + np.exp(-np.linspace(low, high + 0.05 * max(high - low, 1.0), POINTS)))
        thresholds = np.unique(np.concatenate([even, [each for each in chosen if 0 < each < 1]]))
        spent = np.zeros(len(thresholds), dtype=np.float64)
        found, false = np.zeros(len(thresholds), dtype=np.intp), np.zeros(len(thresholds), dtype=np.intp)
        for place, threshold in enumerate(thresholds):
            for part in parts:
                tally = part.ground.tally(part.level, threshold)
                right, missed, wrong = (int(each.sum()) for each in (tally.found, tally.missed, tally.false))
                spent[place] += cost(costs, found=right, missed=missed, false=wrong)
                found[place] += right
                false[place] += wrong
        return cls(thresholds, spent, found, false)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return it as JSON types."""
        return {
            "threshold": self.threshold.tolist(),
            "cost": self.cost.tolist(),
            "found": self.found.tolist(),
            "false_alarms": self.false.tolist(),
        }


def _log_odds(share: float) -> float:
    bounded = min(max(share, _FLOOR), 1 - _FLOOR)
    return log(bounded / (1 - bounded))
