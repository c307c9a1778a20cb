"""Which failure mode it is: learnt from the hours before failures whose component or code is known."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from models.finding import RankedMode
from models.moment import instants
from models.normal_by_regime import Usual

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

FEWEST_FAILURES = 3
"""What has failed less often is not learnt."""

NAMED_FROM = 0.6
"""Share of probability from which a component is named."""

Mode = tuple[str, str]
UNKNOWN: Mode = ("", "")
_MOST_SIGMAS = 8.0
_STRENGTH = 0.02


@dataclass
class Diagnosis:
    """Ranks failure modes by how much a machine looks as others did before such a failure.

    A mode is what the records of failures tell apart: a component and a code. What has failed less than three
    times is told by its component alone, and a component that has, by nothing: it is the unknown.

    Attributes
    ----------
    mode_component, mode_code : of what can be told apart, sorted; both empty for the unknown
    mode_failures : how many failures each was learnt from
    """

    normal: Usual
    mode_component: tuple[str, ...]
    mode_code: tuple[str, ...]
    mode_failures: tuple[int, ...]
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
        ``None`` where nothing that can be named has failed three times.
        """
        said = _modes(targets)
        counts = Counter(mode for modes in said for mode in modes)
        if all(mode == UNKNOWN for mode in counts):
            return None
        rows: list[NDArray[np.intp]] = []
        answers: list[Mode] = []
        weights: list[NDArray[np.float64]] = []
        begins = instants(targets["begin"])
        for machine, begin, modes in zip(targets["machine"], begins, said, strict=True):
            near = (table.machine == machine) & (table.time < begin) & (table.time >= begin - horizon)
            found = np.flatnonzero((labels == 1) & near)
            for mode in modes if len(found) else ():
                rows.append(found)
                answers += [mode] * len(found)
                weights.append(np.full(len(found), 1 / (len(found) * len(modes))))
        seen = sorted(set(answers))
        if not rows or seen == [UNKNOWN]:
            return None
        components, codes = (tuple(mode[part] for mode in seen) for part in (0, 1))
        failures = tuple(counts[mode] for mode in seen)
        if len(seen) == 1:
            return cls(normal, components, codes, failures, None)
        # Only here: a server that serves must not wait for it at its start.
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        place = {mode: number for number, mode in enumerate(seen)}
        model.fit(
            _bounded(normal, table.where(np.concatenate(rows))),
            np.array([place[mode] for mode in answers]),
            sample_weight=np.concatenate(weights),
        )
        return cls(normal, components, codes, failures, model)

    @property
    def components(self) -> tuple[str, ...]:
        """The components that can be told apart, sorted; an empty name stands for any other."""
        return tuple(sorted(set(self.mode_component)))

    @property
    def failures(self) -> tuple[int, ...]:
        """From how many failures each component was learnt."""
        counts = Counter[str]()
        for component, count in zip(self.mode_component, self.mode_failures, strict=True):
            counts[component] += count
        return tuple(counts[component] for component in self.components)

    def of_modes(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of each mode given that a failure is ahead, (n_rows, n_modes)."""
        if self.model is None:
            return np.ones((len(table), 1))
        return self.model.predict_proba(_bounded(self.normal, table))

    def probabilities(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of each component given that a failure is ahead, (n_rows, n_components)."""
        of_modes = self.of_modes(table)
        place = {component: number for number, component in enumerate(self.components)}
        found = np.zeros((len(table), len(place)))
        for number, component in enumerate(self.mode_component):
            found[:, place[component]] += of_modes[:, number]
        return found

    def named(self, table: FeatureTable) -> list[str]:
        """Return the component of each row, or an empty string where none is likely enough to be named."""
        probabilities, components = self.probabilities(table), self.components
        best = probabilities.argmax(axis=1)
        sure = probabilities[np.arange(len(best)), best] >= NAMED_FROM
        return [components[index] if enough else "" for index, enough in zip(best, sure, strict=True)]

    def ranked(self, table: FeatureTable) -> list[tuple[RankedMode, ...]]:
        """Return the modes of each row, the most likely first; the unknown is one of them if it can be told."""
        found = []
        for row in self.of_modes(table):
            order = np.argsort(-row, kind="stable")
            found.append(
                tuple(
                    RankedMode(
                        component=self.mode_component[mode], code=self.mode_code[mode], probability=float(row[mode])
                    )
                    for mode in order
                )
            )
        return found


def _modes(targets: pd.DataFrame) -> list[tuple[Mode, ...]]:
    """Return the modes of each event, in as much detail as has failed three times.

    Records that were merged name components and codes apart from each other: a code counts where it is the only one.
    """
    whole = [
        {(component, codes[0] if len(codes) == 1 else "") for component in components or ("",)}
        for components, codes in zip(targets["components"], targets["codes"], strict=True)
    ]
    by_mode = Counter(mode for modes in whole for mode in modes)
    by_component = Counter(component for modes in whole for component in {component for component, _ in modes})

    def told(mode: Mode) -> Mode:
        component, _ = mode
        if by_mode[mode] >= FEWEST_FAILURES:
            return mode
        return (component, "") if component and by_component[component] >= FEWEST_FAILURES else UNKNOWN

    return [tuple(sorted({told(mode) for mode in modes})) for modes in whole]


def _bounded(normal: Usual, table: FeatureTable) -> NDArray[np.float64]:
    strange = normal.standardise(table)
    return np.nan_to_num(np.clip(strange, -_MOST_SIGMAS, _MOST_SIGMAS), nan=0.0)
