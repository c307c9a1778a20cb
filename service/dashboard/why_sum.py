"""How a level comes about, as the page of an alert shows it: step by step from the machine at its normal."""

from dataclasses import dataclass

import numpy as np

from models.finding import Contribution, Why
from models.sentence import percent, stranger_than

_MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the sum: what a signal adds or takes, and the level with it.

    Attributes
    ----------
    amount : signed, on the scale
    level : in words
    left, width : of its bar, in per cent of the picture
    """

    what: str
    detail: Contribution | None
    amount: float
    level: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Sum:
    """How a level comes about: from ``base`` by the steps to ``level``.

    Attributes
    ----------
    unit : what amounts are counted in, in words
    """

    base: str
    level: str
    base_score: float
    score: float
    unit: str
    steps: tuple[Step, ...]
    sentence: str


_UNITS = {
    "log-odds": "logarithm of the odds; +0.7 doubles the odds, −0.7 halves them",
    "rarity": "logarithm of how rare it is in healthy time; +0.7 is twice as rare",
}


def sum_of(why: Why) -> Sum:
    """Return the steps from base to level, the smallest ones together as the last; they add up.

    Examples
    --------
    >>> from datetime import datetime
    >>> heat = Contribution(signal="heat", unit="degC", feature="", actual=None, expected=None, amount=4.5, level=0.64)
    >>> why = Why(at=datetime(2026, 1, 1), scale="log-odds", base=-3.9, base_level=0.02, score=0.6, level=0.64,
    ...           contributions=(heat,))
    >>> sum_of(why).sentence
    'From 2 % at its normal to 64 %: heat +4.5 (64 %)'
    """
    # One that would be left alone has a name of its own.
    most = _MOST_STEPS + (len(why.contributions) == _MOST_STEPS + 1)
    shown, rest = why.contributions[:most], why.contributions[most:]
    write = percent if why.scale == "log-odds" else _strange
    lines: list[tuple[str, Contribution | None, float, float]] = [
        (each.signal, each, each.amount, each.level) for each in shown
    ]
    if rest:
        lines.append((f"{len(rest)} others together", None, sum((each.amount for each in rest), 0.0), rest[-1].level))
    edges = np.cumsum([why.base, *(amount for _, _, amount, _ in lines)])
    low, high = float(edges.min()), float(edges.max())
    scale = 100 / (high - low) if high > low else 0.0
    steps = tuple(
        Step(
            what,
            detail,
            amount,
            write(level),
            round((min(edges[at], edges[at + 1]) - low) * scale, 1),
            round(abs(amount) * scale, 1),
        )
        for at, (what, detail, amount, level) in enumerate(lines)
    )
    base, level = write(why.base_level), write(why.level)
    told = ", ".join(f"{each.what} {signed(each.amount)} ({each.level})" for each in steps)
    sentence = f"From {base} at its normal to {level}{': ' + told if told else ''}"
    return Sum(base, level, why.base, why.score, _UNITS[why.scale], steps, sentence)


def signed(amount: float) -> str:
    """Write an amount with its sign and one decimal, or two where it is small.

    Examples
    --------
    >>> signed(1.234), signed(-0.04)
    ('+1.2', '−0.04')
    """
    return f"{abs(amount):+.{1 if abs(amount) >= 0.1 else 2}f}".replace("+", "−" if amount < 0 else "+")


def _strange(level: float) -> str:
    return f"stranger than {stranger_than(level)}" if level > 0 else "as usual"
