"""What every model can do: learn from a feature table, say a level, say which signals speak for it."""

from collections.abc import Callable, Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from features.column import SEPARATOR, signal_of
from features.table import FeatureTable
from models.judging.split import Fold
from models.why.parts import Parts

View = Callable[[NDArray[np.intp]], FeatureTable]
"""Gives the whole training table as it is seen by one who has learnt of how machines run from some rows only."""


class Learner(Protocol):
    """A model between features and levels.

    Attributes
    ----------
    groups : names of the signals (and of "errors", clocks …) in the order of the columns of ``parts``
    held_out : float64 array of shape (n_training_rows,)
        Calibrated level of each training row by a fit that has seen neither the row nor its
        neighbourhood; NaN where there is none.
    """

    groups: tuple[str, ...]
    held_out: NDArray[np.float64]

    def fit(
        self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None = None
    ) -> Self:
        """Learn from rows labelled 1 (event within the horizon), 0 (none) or −1 (not known).

        Parameters
        ----------
        view : what a fold is to see of the table, given the rows that it learns from; the table itself when
            left out. It may have other columns than the table, and has the same rows
        """
        ...

    def level(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the calibrated level of each row, 0 to 1; NaN where nothing can be said."""
        ...

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the score of each level, against the machine at its normal.

        Their sum is the score of ``level`` on the scale of the parts, to 1e-6. A model that cannot say it by
        itself has ``models.why.asked_parts`` ask.
        """
        ...


def group_of(name: str) -> str:
    """Return the signal that a feature column is about, or what it counts.

    Examples
    --------
    >>> group_of("vibration__crest_factor__10min"), group_of("errors__error1__24h")
    ('vibration', 'errors')
    >>> group_of("hours_since_maintenance__comp2")
    'hours_since_maintenance'
    """
    return signal_of(name) or name.split(SEPARATOR, 1)[0]


def grouped(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Return the groups in order of first appearance, and for each column the index of its group.

    Examples
    --------
    >>> grouped(("a__mean__1h", "b__mean__1h", "a__std__1h"))
    (('a', 'b'), array([0, 1, 0]))
    """
    groups = tuple(dict.fromkeys(map(group_of, names)))
    position = {group: index for index, group in enumerate(groups)}
    return groups, np.array([position[group_of(name)] for name in names], dtype=np.intp)
