"""Which component it is: learnt from the hours before failures whose component is known."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from models.moment import instants
from models.normal_by_regime import Usual

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

FEWEST_FAILURES = 3
"""A component with fewer failures is not learnt."""

NAMED_FROM = 0.6
"""Share of probability from which a component is named."""

_OTHER = ""
_MOST_SIGMAS = 8.0
_STRENGTH = 0.02


@dataclass
class Diagnosis:
    """Ranks components by how much a machine looks as others did before such a failure.

    Attributes
    ----------
    components : what can be named, sorted; an empty name stands for any other component
    failures : how many failures each was learnt from
    """

    normal: Usual
    components: tuple[str, ...]
    failures: tuple[int, ...]
    model: "LogisticRegression | None"

    @classmethod
    def learn(
        cls,
        table: FeatureTable,
        labels: NDArray[np.int8],
        targets: pd.DataFrame,
        horizon: np.timedelta64,
        normal: Usual,
    ) -> Self | None:
        """Learn from the rows within the horizon before each target event.

        Parameters
        ----------
        targets : table of ``target_events``

        Returns
        -------
        ``None`` where no component has failed three times.
        """
        counts = Counter(part for failed in targets["components"] for part in failed)
        named = sorted(str(name) for name, count in counts.items() if count >= FEWEST_FAILURES)
        if not named:
            return None
        rows: list[NDArray[np.intp]] = []
        answers: list[str] = []
        weights: list[NDArray[np.float64]] = []
        begins = instants(targets["begin"])
        for machine, begin, failed in zip(targets["machine"], begins, targets["components"], strict=True):
            near = (table.machine == machine) & (table.time < begin) & (table.time >= begin - horizon)
            found = np.flatnonzero((labels == 1) & near)
            components = sorted({part if part in named else _OTHER for part in failed})
            for component in components if len(found) else ():
                rows.append(found)
                answers += [component] * len(found)
                weights.append(np.full(len(found), 1 / (len(found) * len(components))))
        seen = sorted(set(answers))
        failures = tuple(counts[name] for name in seen)
        if not rows or seen == [_OTHER]:
            return None
        if len(seen) == 1:
            return cls(normal, tuple(seen), failures, None)
        # Only here: a server that serves must not wait for it at its start.
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        model.fit(
            _bounded(normal, table.where(np.concatenate(rows))),
            np.array(answers),
            sample_weight=np.concatenate(weights),
        )
        return cls(normal, tuple(seen), failures, model)

    def probabilities(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of each component given that a failure is ahead, (n_rows, n_components)."""
        if self.model is None:
            return np.ones((len(table), 1))
        return self.model.predict_proba(_bounded(self.normal, table))

    def named(self, table: FeatureTable) -> list[str]:
        """Return the component of each row, or an empty string where none is likely enough to be named."""
        probabilities = self.probabilities(table)
        best = probabilities.argmax(axis=1)
        sure = probabilities[np.arange(len(best)), best] >= NAMED_FROM
        return [self.components[index] if enough else "" for index, enough in zip(best, sure, strict=True)]


def _bounded(normal: Usual, table: FeatureTable) -> NDArray[np.float64]:
    strange = normal.standardise(table)
    return np.nan_to_num(np.clip(strange, -_MOST_SIGMAS, _MOST_SIGMAS), nan=0.0)
