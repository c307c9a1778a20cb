"""Several detectors on one scale: surprise, minus the logarithm of the share of healthy time that is as strange."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.calibration import HealthyTail
from models.detector import Detector

Floats = NDArray[np.float64]

_NOTHING = 1e-12


@dataclass
class Ensemble:
    """Detectors that have been fitted, each with what its scores mean, as one detector.

    Scores of different detectors cannot be compared; the share of healthy time that is as strange can. The score
    is the mean of the surprises of those that say something: what several find strange counts more than what one does.

    Attributes
    ----------
    members : fitted detectors by name
    tails : what the scores of each mean, learnt on rows that it had not seen
    """

    members: dict[str, Detector]
    tails: dict[str, HealthyTail]

    @classmethod
    def of(cls, members: Mapping[str, Detector], unseen: Mapping[str, Floats], blocks: NDArray[np.intp]) -> Self | None:
        """Put detectors on one scale; ``None`` where none of them says anything.

        Parameters
        ----------
        unseen : scores of healthy rows by fits of each detector that had not seen them, shape (n_rows,); NaN counts not
        blocks : number of the stretch of time of each row, shape (n_rows,), non-decreasing
        """
        tails = {}
        for name in members:
            said = np.isfinite(unseen[name])
            if said.any():
                tails[name] = HealthyTail.learn(unseen[name][said], blocks[said])
        return cls({name: members[name] for name in tails}, tails) if tails else None

    def score(self, table: FeatureTable) -> Floats:
        """Return the mean surprise of each row; NaN where no detector says anything."""
        return self.combined({name: member.score(table) for name, member in self.members.items()})

    def combined(self, scores: Mapping[str, Floats]) -> Floats:
        """Return the mean surprise that scores of the members stand for."""
        return _mean(self._surprises(scores))

    def contributions(self, table: FeatureTable) -> Floats:
        """Return what each feature adds to the score, shape (n_rows, n_names); sums to the score.

        What a member adds is shared out as its own contributions are; what lowers its score counts as none.
        """
        surprises = self._surprises({name: member.score(table) for name, member in self.members.items()})
        speaking = np.isfinite(surprises).sum(axis=0)
        whole = np.zeros((len(table), len(table.names)))
        for own, member in zip(surprises, self.members.values(), strict=True):
            parts = np.maximum(0.0, member.contributions(table))
            total = parts.sum(axis=1, keepdims=True)
            # A row that is in no way strange has parts of nothing: all of its features share them.
            parts = np.where(total > _NOTHING, parts, np.isfinite(table.values))
            weight = np.nan_to_num(own) / np.maximum(speaking, 1) / np.maximum(parts.sum(axis=1), _NOTHING)
            whole += parts * weight[:, np.newaxis]
        return whole

    def _surprises(self, scores: Mapping[str, Floats]) -> Floats:
        """Return the surprise of each member, shape (n_members, n_rows)."""
        return np.stack([self.tails[name].surprise(scores[name]) for name in self.members])


def _mean(surprises: Floats) -> Floats:
    said = np.isfinite(surprises)
    whole = np.where(said, surprises, 0.0).sum(axis=0)
    return np.where(said.any(axis=0), whole / np.maximum(said.sum(axis=0), 1), np.nan)
