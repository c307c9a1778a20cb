"""Which failure mode it is: what was shown in the hours before failures whose component or code is known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

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
from models.why.shape import Shapes, likeness

NAMED_FROM = 0.6
"""Share of probability from which a component is named."""

Mode = tuple[str, str]
UNKNOWN: Mode = ("", "")
_SHARPNESS = 15.0
"""Natural logarithm of how much more often the mode of a failure that looks the same is the right one than that of one
with which there is nothing in common."""
_MOST_ROWS_OF_A_FAILURE = 50
_MOST_SIGMAS = 8.0
_MOST_HEALTHY = 5_000


@dataclass
class Diagnosis:
    """Ranks failure modes by how much a machine looks as others did before such a failure.

    A mode is what the records of failures tell apart: a component and a code. Failures are few and modes are more, so
    nothing is fitted to them: a failure speaks for its modes by the likeness of the shape before it that is most alike
    (see ``Shapes``), and a mode is as likely as its failures say on average, so one that came once may come
    first. What looks like no mode that was ever met is the unknown, as is what nobody named.

    Attributes
    ----------
    shapes : how shapes are drawn
    mode_component, mode_code : of what can be told apart, sorted; both empty for the unknown
    mode_failures : how many failures each was learnt from
    shape : before all failures, float32 array of shape (n_shapes, n_columns of shapes)
    first : where the shapes of each failure begin among all, shape (n_failures,)
    speaks : 1 where a failure was of a mode, 0 elsewhere, shape (n_failures, n_modes)
    columns : positions of the features that can tell a new mode: signals and errors, no clocks and no context
    novelty : tells what no known mode explains; ``None`` where that cannot be learnt
    """

    normal: Usual
    shapes: Shapes
    mode_component: tuple[str, ...]
    mode_code: tuple[str, ...]
    mode_failures: tuple[int, ...]
    shape: NDArray[np.float32]
    first: NDArray[np.int64]
    speaks: NDArray[np.float64]
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
        shapes: Shapes,
    ) -> Self | None:
        """Learn from the rows within the horizon before each target event.

        Parameters
        ----------
        targets : table of ``target_events``

        Returns
        -------
        ``None`` where nothing that can be named has failed.
        """
        rows: list[NDArray[np.intp]] = []
        said: list[tuple[Mode, ...]] = []
        begins = instants(targets["begin"])
        for machine, begin, modes in zip(targets["machine"], begins, _modes(targets), strict=True):
            near = (table.machine == machine) & (table.time < begin) & (table.time >= begin - horizon)
            found = np.flatnonzero((labels == 1) & near)
            if len(found):
                rows.append(found)
                said.append(modes)
        counts = Counter(mode for modes in said for mode in modes)
        seen = sorted(counts)
        if not set(seen) - {UNKNOWN}:
            return None
        columns = _of_modes(table.names)
        strange, episodes = _bounded(normal, table)[:, columns], list(zip(rows, map(repr, said), strict=True))
        kept = [_thin(found) for found in rows]
        return cls(
            normal,
            shapes,
            mode_component=tuple(component for component, _ in seen),
            mode_code=tuple(code for _, code in seen),
            mode_failures=tuple(counts[mode] for mode in seen),
            shape=shapes.of(table.where(np.concatenate(kept)), normal).astype(np.float32),
            first=np.cumsum([0, *map(len, kept[:-1])]).astype(np.int64),
            speaks=np.array([[mode in modes for mode in seen] for modes in said], dtype=np.float64),
            columns=columns,
            novelty=_novelty(strange, labels, episodes),
        )

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
        """Return the probability of each known mode, given that it is one of them."""
        if not len(table):
            return np.ones((0, len(self.mode_component)))
        those = self.shape.astype(np.float64)
        alike = np.stack([likeness(those, one) for one in self.shapes.of(table, self.normal)])
        spoken = np.exp(_SHARPNESS * np.maximum.reduceat(alike, self.first, axis=1))
        of_modes = spoken @ self.speaks / self.speaks.sum(axis=0)
        return np.asarray(of_modes / of_modes.sum(axis=1, keepdims=True))

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
    """Return the modes of each event.

    Records that were merged name components and codes apart from each other: a code counts where it is the only one.
    """
    return [
        tuple(sorted({(component, codes[0] if len(codes) == 1 else "") for component in components or ("",)}))
        for components, codes in zip(targets["components"], targets["codes"], strict=True)
    ]


def _thin(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    places = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ROWS_OF_A_FAILURE))
    return rows[places.round().astype(np.intp)]


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
