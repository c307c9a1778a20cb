"""The words in which losses are told: since when, what it costs, and what it concentrates on."""

from collections.abc import Sequence

from models.efficiency.finders.concentration import Concentration
from models.efficiency.finders.record import Record


def since_words(record: Record, first: int, low: int, high: int) -> str:
    """Return since which shift something is so, with the interval of that where it is wider than one shift."""
    zone = record.plant.zone
    begin, earliest, latest = (f"{record.begin(at).astimezone(zone):%Y-%m-%d %H:%M}" for at in (first, low, high))
    return f"since {begin}" + (f" ({earliest} to {latest})" if earliest != latest else "")


def money(record: Record, per_hour: float | None) -> str:
    """Return what it costs an hour of the clock, or nothing where nobody knows."""
    return "" if per_hour is None else f", {per_hour:.3g} {record.plant.currency} an hour"


def about(patterns: Sequence[Concentration], product: str = "") -> str:
    """Return what an excess concentrates on."""
    told = [
        f"{each.share:.0%} of it is {each.dimension} {each.level!r}"
        for each in patterns
        if not (each.dimension == "product" and each.level == product)
    ]
    return "; " + ", ".join(told) if told else ""
