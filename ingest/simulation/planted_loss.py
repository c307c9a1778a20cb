"""Losses that a scenario plants on purpose, so that it is known what can be found."""

from dataclasses import dataclass
from typing import Literal, get_args

from ingest.errors import ScenarioError

LossKind = Literal["minor stops", "slow cycle", "long change-over", "starved", "blocked", "scrap", "wrong ideal cycle"]
"""What a scenario can plant; ``size`` says how much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedLoss:
    """One loss of one machine, from a local day on until the end of the scenario or ``days`` later.

    Attributes
    ----------
    machine : name of a machine of the scenario
    kind : minor stops (how many more an hour of running), slow cycle (share that a piece takes longer), long
        change-over (share that one takes longer), starved and blocked (hours more an hour of running), scrap (share
        of pieces more), wrong ideal cycle (share that the plant file says too little; from the first day on)
    size : how much, above 0
    product : with this product only; with all when empty
    reason : the word under which planted minor stops come; empty for the usual ones
    signal, below, above : scrap only in hours in which the mean of that signal lies below or above; in all when empty
    from_day : day of the scenario on which it begins, from 0
    days : how long it lasts; ``None`` to the end

    Raises
    ------
    ScenarioError
        If a value makes no sense.
    """

    machine: str
    kind: LossKind
    size: float
    product: str = ""
    reason: str = ""
    signal: str = ""
    below: float | None = None
    above: float | None = None
    from_day: int = 0
    days: int | None = None

    def __post_init__(self) -> None:
        """Check it at once."""
        if self.kind not in get_args(LossKind):
            raise ScenarioError(f"planted loss: no kind {self.kind!r}; there are {', '.join(get_args(LossKind))}")
        if not 0 < self.size < 100 or self.from_day < 0 or (self.days is not None and self.days < 1):
            raise ScenarioError(f"planted loss {self.kind!r}: size must be above 0, from_day 0 or more, days 1 or more")
        limits = [each for each in (self.below, self.above) if each is not None]
        if bool(self.signal) != (len(limits) == 1) or (self.signal and self.kind != "scrap"):
            raise ScenarioError(
                f"planted loss {self.kind!r}: scrap alone may name a signal, and then either below or above"
            )

    def on(self, day: int, product: str) -> bool:
        """Whether it acts on a day of the scenario with a product."""
        until = float("inf") if self.days is None else self.from_day + self.days
        return self.from_day <= day < until and self.product in ("", product)

    def shows(self, mean: float) -> bool:
        """Whether it acts in an hour in which its signal has a mean; of no signal it always does."""
        if self.below is not None:
            return mean < self.below
        return self.above is None or mean > self.above
