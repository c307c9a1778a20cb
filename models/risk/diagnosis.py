"""Which failure mode it is: learnt from the hours before failures whose component or code is known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import signal_of
from features.table import FeatureTable
from models.anomaly.usual import Usual
from models.finding import RankedMode
from models.learner import group_of
from models.moment import instants
from models.risk.novelty import Novelty

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
_MOST_HEALTHY = 5_000


@dataclass
class Diagnosis:
    """Ranks failure modes by how much a machine looks as others did before such a failure.

    A mode is what the records of failures tell apart: a component and a code. What has failed less than three
    times is told by its component alone, and a component that has, by nothing: it is the unknown. So is what looks
    like no mode that was ever met.

    Attributes
    ----------
    mode_component, mode_code : of what can be told apart, sorted; both empty for the unknown
    mode_failures : how many failures each was learnt from
    columns : positions of the features that can tell a new mode: signals and errors, no clocks and no context
    novelty : tells what no known mode explains; ``None`` where that cannot be learnt
    """

    normal: Usual
    mode_component: tuple[str, ...]
    mode_code: tuple[str, ...]
    mode_failures: tuple[int, ...]
    model: "LogisticRegression | None"
    columns: NDArray[np.intp]
    novelty: Novelty | None

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
        episodes: list[tuple[NDArray[np.intp], str]] = []
        begins = instants(targets["begin"])
        for machine, begin, modes in zip(targets["machine"], begins, said, strict=True):
            near = (table.machine == machine) & (table.time < begin) & (table.time >= begin - horizon)
            found = np.flatnonzero((labels == 1) & near)
            for mode in modes if len(found) else ():
                rows.append(found)
                answers += [mode] * len(found)
                weights.append(np.full(len(found), 1 / (len(found) * len(modes))))
            if len(found):
                episodes.append((found, repr(modes)))
        seen = sorted(set(answers))
        if not rows or seen == [UNKNOWN]:
            return None
        components, codes = (tuple(mode[part] for mode in seen) for part in (0, 1))
        failures = tuple(counts[mode] for mode in seen)
        columns = _of_modes(table.names)
        novelty = _novelty(_bounded(normal, table)[:, columns], labels, episodes)
        if len(seen) == 1:
            return cls(normal, components, codes, failures, None, columns, novelty)
        # Only here: a server that serves must not wait for it at its start.
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        place = {mode: number for number, mode in enumerate(seen)}
        model.fit(
            _bounded(normal, table.where(np.concatenate(rows))),
            np.array([place[mode] for mode in answers]),
            sample_weight=np.concatenate(weights),
        )
        return cls(normal, components, codes, failures, model, columns, novelty)

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

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What a failure can be said to be, in the order of ``of_modes``: the unknown is always among them."""
        known = tuple(zip(self.mode_component, self.mode_code, strict=True))
        return known if UNKNOWN in known else (*known, UNKNOWN)

    def of_modes(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of each of ``modes`` given that a failure is ahead; each row adds up to 1.

        Times the probability of any failure within a horizon it is that of a failure of the mode within it: modes
        compete, so together they are as likely as the whole and never more.
        """
        of_known, modes = self._of_known(table), self.modes
        new = np.zeros(len(table))
        if self.novelty is not None and len(table):
            new = self.novelty.probability(_bounded(self.normal, table)[:, self.columns])
        found = np.zeros((len(table), len(modes)))
        found[:, : of_known.shape[1]] = of_known * (1 - new)[:, np.newaxis]
        found[:, modes.index(UNKNOWN)] += new
        return found

    def _of_known(self, table: FeatureTable) -> NDArray[np.float64]:
        if self.model is None or not len(table):
            return np.ones((len(table), len(self.mode_component)))
        return self.model.predict_proba(_bounded(self.normal, table))

    def probabilities(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the probability of each component given that a failure is ahead, (n_rows, n_components).

        What is missing to 1 is the probability of a mode that was never met.
        """
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
        """Return the modes of each row, the most likely first; the unknown is one of them."""
        found, modes = [], self.modes
        for row in self.of_modes(table):
            order = np.argsort(-row, kind="stable")
            found.append(
                tuple(
                    RankedMode(component=modes[mode][0], code=modes[mode][1], probability=float(row[mode]))
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


def _novelty(
    strange: NDArray[np.float64], labels: NDArray[np.int8], episodes: Sequence[tuple[NDArray[np.intp], str]]
) -> Novelty | None:
    healthy = strange[labels == 0]
    healthy = healthy[:: max(1, len(healthy) // _MOST_HEALTHY)]
    return Novelty.learn(healthy, [strange[rows] for rows, _ in episodes], [mode for _, mode in episodes])


def _of_modes(names: Sequence[str]) -> NDArray[np.intp]:
    told = [
        at
        for at, name in enumerate(names)
        if (signal_of(name) and feature_in(name).tells != "context") or group_of(name) == "errors"
    ]
    return np.array(told, dtype=np.intp)


def _bounded(normal: Usual, table: FeatureTable) -> NDArray[np.float64]:
    strange = normal.standardise(table)
    return np.nan_to_num(np.clip(strange, -_MOST_SIGMAS, _MOST_SIGMAS), nan=0.0)
