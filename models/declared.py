"""Limits that hold from the first day: those of the plant file, and zones of standards that it names."""

from dataclasses import dataclass
from math import inf

from ingest.plant import MachineClass
from ingest.unit import conversion
from ingest.vibration_zones import UNIT, vibration_zones


@dataclass(frozen=True, slots=True)
class Declared:
    """Limits of one signal.

    Attributes
    ----------
    limits : lowest and highest value of good running, in the signal's unit (of a waveform: in mm/s, for its
        velocity); infinite where there is none
    provenance : where they come from, empty for the plant file itself
    """

    limits: tuple[float, float]
    provenance: str = ""


def declared_limits(machine_class: MachineClass) -> dict[str, Declared]:
    """Return the limits of each signal that has any.

    A signal's own limits come before zones: whoever wrote them knows the machine.
    """
    found = {}
    for signal in machine_class.signals:
        if signal.limits is not None and signal.rate is None:
            found[signal.name] = Declared(signal.limits)
        elif signal.zones is not None:
            zones = vibration_zones()[signal.zones]
            highest = zones.b_c
            if signal.rate is None and signal.unit != UNIT:
                factor = conversion(UNIT, signal.unit)
                highest = float((highest + float(factor.shift)) * float(factor.factor))
            found[signal.name] = Declared((-inf, highest), zones.provenance)
    return found
