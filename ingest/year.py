"""The years in which a time that a person writes can lie; any other is a slip, and few libraries can hold it."""

from datetime import datetime

FIRST_YEAR, LAST_YEAR = 1900, 2200


def is_within_reach(moment: datetime) -> bool:
    """Say whether a time lies in 1900 or later and before 2200, by its own calendar.

    Examples
    --------
    >>> is_within_reach(datetime(2199, 12, 31)), is_within_reach(datetime(2200, 1, 1)), is_within_reach(datetime.min)
    (True, False, False)
    """
    return FIRST_YEAR <= moment.year < LAST_YEAR
