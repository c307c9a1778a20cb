"""The contract of anomaly detectors, and their table."""

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.deviations import Deviations
from models.detectors.isolation import Isolation
from models.detectors.nearest_memory import NearestMemory
from models.detectors.principal_components import PrincipalComponents
from models.detectors.ridge_residual import RidgeResidual
from models.detectors.robust_distance import RobustDistance
from models.detectors.shift import Shift


class Detector(Protocol):
    """Says how strange rows are; higher is stranger, and only the order counts."""

    def fit(self, table: FeatureTable, deviations: Deviations | None = None) -> Self:
        """Learn from healthy rows.

        Parameters
        ----------
        deviations : learnt from the same rows, where several detectors share them
        """
        ...

    def score(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return the strangeness of each row; NaN where nothing can be said."""
        ...

    def contributions(self, table: FeatureTable) -> NDArray[np.float64]:
        """Return what each feature adds to the score, (n_rows, n_names); may be below 0; sums to the score."""
        ...


DETECTORS: dict[str, Callable[[], Detector]] = {
    "principal components": PrincipalComponents,
    "nearest memory": NearestMemory,
    "ridge residual": RidgeResidual,
    "robust distance": RobustDistance,
    "isolation": Isolation,
    "shift": Shift,
}
"""Every detector by name."""
