"""Every loss finder by name: each is a pure function of a look at one machine."""

from collections.abc import Callable

from models.efficiency.finders import (
    bottleneck_shift,
    energy,
    ideal_cycle,
    long_changeover,
    minor_stops,
    scrap,
    slow_cycle,
    waiting,
)
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look

Finder = Callable[[Look], list[FoundLoss]]
"""Returns the losses of a machine that last at the end of the look; the same look gives the same."""

FINDERS: dict[str, Finder] = {
    minor_stops.NAME: minor_stops.minor_stops,
    slow_cycle.NAME: slow_cycle.slow_cycle,
    ideal_cycle.NAME: ideal_cycle.ideal_cycle,
    energy.NAME: energy.energy,
    "starved": waiting.starved,
    "blocked": waiting.blocked,
    long_changeover.NAME: long_changeover.long_changeover,
    scrap.NAME: scrap.scrap,
    bottleneck_shift.NAME: bottleneck_shift.bottleneck_shift,
}
"""In the order in which they are asked; the name stands in an alert where a model's name stands otherwise."""
