"""One figure of the public benchmark: what was measured, what others published, what we want."""

from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Goal:
    """From where to where a figure is good; ``None`` where that side is open."""

    least: float | None = None
    most: float | None = None

    def held(self, value: float) -> bool:
        """Whether a figure is good; NaN never is."""
        above = self.least is None or value >= self.least
        return isfinite(value) and above and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


def at_least(value: float) -> Goal:
    """Return the goal of a figure that should be high."""
    return Goal(least=value)


def at_most(value: float) -> Goal:
    """Return the goal of a figure that should be low."""
    return Goal(most=value)


def between(least: float, most: float) -> Goal:
    """Return the goal of a figure that may be neither too low nor too high."""
    return Goal(least, most)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one data set.

    Attributes
    ----------
    data : stem of the plant file
    protocol : how it was measured, in words that let somebody else do the same
    figure : what was measured, with its unit
    value, low, high : the figure and its 95 % interval; NaN where there is none
    published : what others reached and how comparable that is, in words; empty where nothing is known
    goal : what we want; ``None`` for a figure that is only told
    seconds, megabytes : wall time of the protocol and peak memory of its process; the runner fills them in
    tried : configurations whose figure on this test part was ever looked at
    """

    data: str
    protocol: str
    figure: str
    value: float
    low: float = nan
    high: float = nan
    published: str = ""
    goal: Goal | None = None
    seconds: float = nan
    megabytes: float = nan
    tried: int = 1

    @property
    def verdict(self) -> str:
        """``held`` or ``missed``; empty where there is no goal."""
        if self.goal is None:
            return ""
        return "held" if self.goal.held(self.value) else "missed"

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON types, NaN as null."""
        written = {key: None if isinstance(each, float) and not isfinite(each) else each for key, each in _items(self)}
        return {**written, "verdict": self.verdict}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read a row that ``to_dict`` wrote."""
        numbers = {key: nan if data[key] is None else data[key] for key in _NUMBERS}
        goal = None if data["goal"] is None else Goal(**data["goal"])
        return cls(**{key: each for key, each in data.items() if key != "verdict"} | numbers | {"goal": goal})


_NUMBERS = ("value", "low", "high", "seconds", "megabytes")


def _items(row: Row) -> list[tuple[str, Any]]:
    return list(asdict(row).items())
