"""A lever: a region of one reading in which more is rejected, shown on later time than it was found in."""

from dataclasses import dataclass
from typing import Any

from features.column import feature_of
from models.levers.contrast import Contrast
from models.levers.region import Region

PLAIN = ("mean", "last")
"""Features that are said by the name of their signal alone."""


@dataclass(frozen=True, slots=True)
class Lever:
    """Where rejects are more frequent, in words and numbers.

    Attributes
    ----------
    signal, feature, words : the column: its signal, its name, and what it says of the signal in words
    unit : of its numbers
    region : where more is rejected
    low_between, high_between : where the limits lie, as sure as 90 %; ``None`` where there is no such limit
    contrast : on later time than the region was found in
    chance : how likely chance alone shows so much, all regions counted that were held against later time
    share : of all rejects of that time, those that would not have been outside of the region
    money_per_hour : what these cost for an hour of the clock; ``None`` where nobody said what a reject costs
    with_it : other signals that tell the same: nothing is left of theirs within this one's regions
    """

    signal: str
    feature: str
    words: str
    unit: str
    region: Region
    low_between: tuple[float, float] | None
    high_between: tuple[float, float] | None
    contrast: Contrast
    chance: float
    share: float
    money_per_hour: float | None = None
    with_it: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The region as a clause: ``mould temperature < 62 degC``."""
        what = f"{self.words} of {self.signal}" if self.signal and feature_of(self.feature) not in PLAIN else ""
        return f"{what or self.signal or self.words} {self.region.words(self.unit)}"

    def sentence(self, currency: str = "") -> str:
        """Say it in one sentence."""
        own = self.contrast
        low, high = own.ratio.low, own.ratio.high
        told = (
            f"rejects {own.ratio.value:.2g} times as frequent ({low:.2g} to {high:.2g}) when {self.where}:"
            f" {own.share:.1%} of {own.pieces:,.0f} pieces in place of {own.other_share:.1%} of"
            f" {own.other_pieces:,.0f}; {self.share:.0%} of all rejects"
        )
        if self.money_per_hour is not None:
            told += f", {self.money_per_hour:,.2f} {currency} an hour".rstrip()
        return told

    def limits(self) -> list[str]:
        """Say of each limit how well it is known."""
        known = ((self.region.low, self.low_between), (self.region.high, self.high_between))
        return [
            f"the limit of {limit:.4g} lies between {between[0]:.4g} and {between[1]:.4g} {self.unit}".rstrip()
            for limit, between in known
            if between is not None
        ]

    def to_dict(self, currency: str = "") -> dict[str, Any]:
        """Return it as JSON types; limits that are not there are null."""
        own = self.contrast
        low, high = (None if abs(each) == float("inf") else each for each in (self.region.low, self.region.high))
        return {
            "signal": self.signal,
            "feature": self.feature,
            "words": self.words,
            "unit": self.unit,
            "below": low,
            "above": high,
            "below_between": None if self.low_between is None else list(self.low_between),
            "above_between": None if self.high_between is None else list(self.high_between),
            "ratio": own.ratio.to_dict(),
            "pieces": own.pieces,
            "rejects": own.rejects,
            "other_pieces": own.other_pieces,
            "other_rejects": own.other_rejects,
            "chance": self.chance,
            "share_of_rejects": self.share,
            "money_per_hour": self.money_per_hour,
            "with_it": list(self.with_it),
            "sentence": self.sentence(currency),
        }
