"""What is usual of a signal, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

LOOKS_BACK = timedelta(days=2)
"""How far before an hour its readings are looked at."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of one signal of one machine.

    Attributes
    ----------
    width : how many readings fill two hours; eight at least
    change : change from one reading to the next that one in twenty exceeds
    low, high : the middle 98 % of its values
    rests : values that it kept for long more than once, and for how many readings
    looks : for each kind of fault, the value of its ``look`` that nine in ten hours stay below
    """

    width: int
    change: float
    low: float
    high: float
    rests: Mapping[float, int]
    looks: Mapping[str, float]
