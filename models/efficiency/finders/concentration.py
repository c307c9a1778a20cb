"""On what an excess of counts concentrates: one product, one reason, one hour of the day; or on nothing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARE = 0.6
"""Least share of the whole excess that one level must have, to be named."""
ALPHA = 0.001
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Concentration:
    """The level of one dimension that an excess concentrates on.

    Attributes
    ----------
    share : of the whole excess
    before, after : its rate for each unit of exposure, before the rise and since
    """

    dimension: str
    level: str
    share: float
    before: float
    after: float


def concentrated_on(dimension: str, table: pd.DataFrame) -> Concentration | None:
    """Return the level that an excess concentrates on; ``None`` where on none.

    The level must hold most of the excess, and more of it than if the rate of all levels had risen alike: given how
    many came, how many of them fell to this level is binomial. A rise that lies on one level by chance of what was
    made is no pattern.

    Parameters
    ----------
    table : one row a level, with ``level``, ``count_before``, ``count_after``, ``exposure_before``, ``exposure_after``;
        exposures of a reason are those of the machine

    Examples
    --------
    >>> of = pd.DataFrame({"level": ["cap", "lid"], "count_before": [40, 40], "count_after": [60, 10],
    ...                    "exposure_before": [100, 100], "exposure_after": [25, 25]})
    >>> found = concentrated_on("product", of)
    >>> found.level, found.share, round(found.after / found.before, 1)
    ('cap', 1.0, 5.9)
    """
    from scipy.stats import binom, poisson  # takes a third of a second that a server has no need of

    told = table[table["level"] != ""]
    if len(told) < 2 or (told["exposure_after"] <= 0).all():
        return None
    before, after = (told[f"count_{each}"].to_numpy(float) for each in ("before", "after"))
    exposed_before, exposed_after = (told[f"exposure_{each}"].to_numpy(float) for each in ("before", "after"))
    # A level that was never there before has no usual; half a count stands for what was not seen.
    usual = (before + 0.5) / np.maximum(exposed_before, 1e-9)
    expected = np.where(exposed_before > 0, usual * exposed_after, 0.0)
    excess = after - expected
    best = int(excess.argmax())
    if excess[best] <= 0 or excess[best] < SHARE * max(excess.sum(), 0.0):
        return None
    if poisson.sf(after[best] - 1, expected[best]) > ALPHA or not expected.sum():
        return None
    alike = expected[best] / expected.sum()
    if binom.sf(after[best] - 1, int(after.sum()), alike) > ALPHA / len(told):
        return None
    share = min(1.0, float(excess[best] / max(excess.sum(), excess[best])))
    rate = float(after[best] / exposed_after[best]) if exposed_after[best] > 0 else float("nan")
    return Concentration(dimension, str(told["level"].iloc[best]), share, float(usual[best]), rate)
