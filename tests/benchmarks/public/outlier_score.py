"""How well alarms tell which rows are out of order: F1, false alarm rate and missing alarm rate, row by row."""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


def outlier_scores(truth: Flags, said: Flags) -> tuple[float, float, float]:
    """Return F1, the false alarm rate and the missing alarm rate in percent, rows of all series pooled."""
    right, wrong = int((truth & said).sum()), int((~truth & said).sum())
    missed, quiet = int((truth & ~said).sum()), int((~truth & ~said).sum())
    f1 = right / (right + (wrong + missed) / 2) if right + wrong + missed else 1.0
    return f1, 100 * wrong / max(wrong + quiet, 1), 100 * missed / max(right + missed, 1)
