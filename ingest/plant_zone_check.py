"""Whether the vibration zones that a signal names are known and fit its unit."""

from collections.abc import Iterator

from ingest.errors import UnitError
from ingest.plant import Signal
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest
from ingest.unit import conversion
from ingest.vibration_zones import UNIT, vibration_zones


def check_zones(at: Location, signal: Signal) -> Iterator[Problem]:
    """Give zones that nobody knows, and those of a signal that is no vibration velocity.

    A waveform may have any unit: its velocity is worked out.
    """
    if signal.zones is None:
        return
    if signal.zones not in vibration_zones():
        yield Problem(at, f"no vibration zones {signal.zones!r}; {nearest(signal.zones, list(vibration_zones()))}")
    if signal.rate is not None:
        return
    try:
        conversion(UNIT, signal.unit)
    except UnitError as error:
        yield Problem(at, f"are of a vibration velocity, and {signal.name!r} is none: {error}")
