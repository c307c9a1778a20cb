"""Rates: how many requests one sender may make in a while; kept in memory, and bounded."""

from collections import OrderedDict
from datetime import datetime, timedelta

MOST_SENDERS = 10_000


class Rates:
    """A bucket of tokens for each sender, filled evenly.

    Parameters
    ----------
    burst : requests that may come at once
    within : time in which an empty bucket is full again
    """

    def __init__(self, burst: int, within: timedelta = timedelta(minutes=1)) -> None:
        self._burst, self._each = burst, within / burst
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def wait(self, sender: str, at: datetime) -> timedelta:
        """Take one token, and return zero; or return how long it is until there is one.

        Examples
        --------
        >>> from datetime import UTC
        >>> rates, noon = Rates(2), datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> [rates.wait("a", noon).seconds for _ in range(3)]
        [0, 0, 30]
        """
        longest = self._burst * self._each
        known = self._full_at.get(sender, at)
        # No bucket is emptier than empty: the clock was put back.
        full_at = (known if at <= known <= at + longest else at) + self._each
        if (over := full_at - at - longest) > timedelta(0):
            return over
        self._full_at[sender] = full_at
        self._full_at.move_to_end(sender)
        if len(self._full_at) > MOST_SENDERS:
            self._full_at.popitem(last=False)
        return timedelta(0)

    def give_back(self, sender: str) -> None:
        """Put one token back."""
        if (full_at := self._full_at.get(sender)) is not None:
            self._full_at[sender] = full_at - self._each
