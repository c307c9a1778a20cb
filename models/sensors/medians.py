"""Medians of readings, to the bit those of numpy, in a fraction of its time."""

import numpy as np

from models.sensors.block import Values


def median(values: Values) -> Values:
    """Return the median along the last axis, which is changed; NaN where any value is.

    Examples
    --------
    >>> median(np.array([[3.0, 1.0, 2.0, 5.0], [1.0, 2.0, np.nan, 3.0]]))
    array([2.5, nan])
    """
    count = values.shape[-1]
    unknown = np.isnan(values).any(axis=-1)
    values.partition([(count - 1) // 2, count // 2], axis=-1)
    middle = (values[..., (count - 1) // 2] + values[..., count // 2]) / 2
    return np.where(unknown, np.nan, middle)


def medians_of_five(values: Values) -> Values:
    """Return the median of each five neighbours along the last axis, of numbers only; shape (…, n) to (…, n − 4).

    The least of two pairs' smaller ones and the largest of their larger ones cannot be the middle of all five.

    Examples
    --------
    >>> medians_of_five(np.array([5.0, 1.0, 4.0, 2.0, 3.0, 9.0]))
    array([3., 3.])
    """
    count = values.shape[-1] - 4
    one, two, three, four, five = (values[..., first : first + count] for first in range(5))
    low = np.maximum(np.minimum(one, two), np.minimum(three, four))
    high = np.minimum(np.maximum(one, two), np.maximum(three, four))
    low, high = np.minimum(low, high), np.maximum(low, high)
    return np.maximum(low, np.minimum(high, five))
