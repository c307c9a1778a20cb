"""The contract of baselines that raise alerts: any rule on readings that a plant could set up without a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from features.table import FeatureTable
from ingest.plant import Costs
from models.assessment import Assessments
from models.judging.ground import Rules


class Rule(Protocol):
    """A rule that was chosen, and what it says of machines: higher is worse, with a threshold."""

    def describe(self) -> str:
        """Return the rule in words."""
        ...

    def assess(self, table: FeatureTable) -> Assessments:
        """Return a level for each row of a feature table, and from which level on it speaks."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The training part, which is all that a rule may be chosen on.

    Attributes
    ----------
    table : rows of the training part
    targets : table of ``target_events``, those to foresee that are known
    failures : all failures that are known
    declared : lowest and highest value of good running of each signal that has them, from the plant file or from
        the zones of a vibration class; infinite where there is none
    provenance : where limits come from that are not the plant file's own, by signal
    """

    table: FeatureTable
    targets: pd.DataFrame
    failures: pd.DataFrame
    rules: Rules
    costs: Costs
    declared: Mapping[str, tuple[float, float]]
    provenance: Mapping[str, str]
