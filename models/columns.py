"""Which columns of a feature table tell anything."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def telling_columns(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns that vary and do not repeat an earlier one, in their order.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns); NaN where not known

    Examples
    --------
    >>> telling_columns(np.array([[1.0, 5.0, 1.0, np.nan], [2.0, 5.0, 2.0, 3.0]]))
    array([0])
    """
    frame = pd.DataFrame(values)
    varies = np.flatnonzero((frame.max() > frame.min()).to_numpy())
    first: dict[bytes, int] = {}
    for index in varies:
        first.setdefault(np.ascontiguousarray(values[:, index]).tobytes(), int(index))
    return np.array(sorted(first.values()), dtype=np.intp)
