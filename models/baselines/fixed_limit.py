"""A fixed limit: one limit on the mean of one signal, as every control system has it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.plant import Costs
from models.assessment import Assessments, Reason
from models.baselines.means import shortest_means
from models.judging.ground import Ground, Rules
from models.judging.money import cost

LIMITS = 40


@dataclass(frozen=True, slots=True)
class FixedLimit:
    """An alert when the mean of a signal over the shortest window is beyond a limit.

    Attributes
    ----------
    feature : column of the feature table; empty when no limit pays
    """

    feature: str
    side: Literal["above", "below"]
    limit: float

    def describe(self) -> str:
        """Return the rule in words."""
        return f"{self.feature} {self.side} {self.limit:.4g}" if self.feature else "no limit pays"

    def assess(self, table: FeatureTable) -> Assessments:
        """Return assessments whose level is the signal's mean, turned so that higher is worse."""
        level = np.full(len(table), np.nan)
        sign = 1.0 if self.side == "above" else -1.0
        if self.feature:
            level = sign * table.values[:, table.names.index(self.feature)]
        reason = np.where(np.isnan(level), Reason.TOO_LITTLE.value, Reason.OK.value).astype(object)
        return Assessments("fixed limit", "", table.machine, table.time, level, reason, sign * self.limit)


def choose_limit(
    table: FeatureTable, targets: pd.DataFrame, failures: pd.DataFrame, rules: Rules, costs: Costs
) -> FixedLimit | None:
    """Choose the signal, side and limit that cost least in the training part.

    Limits are tried at quantiles, dense in the tails, through the same persistence and judged in the
    same way as a model; a limit that nothing reaches is one of them.

    Returns
    -------
    the cheapest limit; ``None`` when the table has no mean of any signal
    """
    columns = shortest_means(table.names)
    if not columns:
        return None
    everything = Ground.of(table.machine, table.time, targets, failures, rules).events
    best, least = FixedLimit("", "above", np.inf), cost(costs, found=0, missed=everything, false=0)
    for column in columns:
        values = table.values[:, column]
        known = np.flatnonzero(~np.isnan(values))
        if not len(known):
            continue
        ground = Ground.of(table.machine[known], table.time[known], targets, failures, rules)
        for side, levels in (("above", values[known]), ("below", -values[known])):
            limit, spent = _cheapest(levels, ground, everything, costs)
            if spent < least:
                sign = 1.0 if side == "above" else -1.0
                best, least = FixedLimit(table.names[column], side, sign * limit), spent  # type: ignore[arg-type]
    return best


def _cheapest(levels: NDArray[np.float64], ground: Ground, events: int, costs: Costs) -> tuple[float, float]:
    limits = np.unique(np.quantile(levels, 1 - np.geomspace(1 / len(levels), 0.3, LIMITS), method="higher"))
    spent = []
    for limit in limits:
        tally = ground.tally(levels, float(limit))
        found = int(tally.found.sum())
        spent.append(cost(costs, found=found, missed=events - found, false=int(tally.false.sum())))
    least = int(np.argmin(spent))
    return float(limits[least]), spent[least]
