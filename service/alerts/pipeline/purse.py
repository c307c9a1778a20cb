"""The purse: how many calls are left this week on a route, and what a call must be worth to take one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.alerts.pipeline.price import prices


@dataclass(slots=True)
class Purse:
    """The budget of one route in one week.

    Attributes
    ----------
    budget, spent : calls of the week, and those that were made
    week, ends : begin and end of the week
    expected : how many alerts are still to be expected until it ends
    worths : what alerts of the past weeks were worth when they asked, in no order
    """

    budget: int
    spent: int
    week: datetime
    ends: datetime
    expected: float = 0.0
    worths: Sequence[float] = ()
    _prices: list[float] | None = field(default=None, repr=False)

    @property
    def left(self) -> int:
        """Calls that are left; 0 where the budget was lowered below what was spent."""
        return max(0, self.budget - self.spent)

    def price(self, left: int) -> float:
        """Return what a call must be worth to take one of so many that are left."""
        if self._prices is None:
            self._prices = prices(self.worths, self.expected, self.left)
        return self._prices[left - 1]
