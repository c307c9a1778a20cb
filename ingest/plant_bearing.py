"""Rolling bearings in the plant file, and the speed of the shaft that a sensor listens to."""

import re

from pydantic import Field

from ingest.part import Name, Part

_FIXED = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(rpm|Hz)\s*")
TURNS = {"rpm": 1 / 60, "1/min": 1 / 60, "Hz": 1.0, "1/s": 1.0}
"""Units of a speed, and how many turns a second one of each is."""


class Bearing(Part):
    """A rolling bearing of every machine of a class, which its waveform signals listen to; the outer race stands."""

    name: Name = Field(description="Name of the bearing, unique in its class; it stands in the names of its features.")
    elements: int = Field(ge=3, le=1000, description="Number of rolling elements.")
    ball_diameter: float = Field(gt=0, allow_inf_nan=False, description="Diameter of an element.")
    pitch_diameter: float = Field(
        gt=0, allow_inf_nan=False, description="Diameter of the circle of their centres, in the same unit."
    )
    contact_angle: float = Field(0, ge=0, lt=90, description="Contact angle in degrees.")
    signals: list[Name] = Field([], description="Waveform signals that hear it; all of the class when empty.")
    speed_ratio: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="Turns of its shaft for one turn of the signal's 'speed'."
    )


def fixed_speed(text: str) -> float | None:
    """Return the turns a second that a text such as ``1480 rpm`` or ``25 Hz`` gives; ``None`` for anything else.

    Examples
    --------
    >>> fixed_speed("1500 rpm"), fixed_speed("spindle")
    (25.0, None)
    """
    match = _FIXED.fullmatch(text)
    return float(match[1]) * TURNS[match[2]] if match else None
