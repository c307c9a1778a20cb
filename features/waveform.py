"""What a recipe knows of a waveform signal: its rate and unit, the shaft that it hears, and the bearings on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Self

from features.align import max_age
from features.bearing import Geometry
from features.column import span_text
from ingest.duration import parse_duration
from ingest.errors import UnitError
from ingest.plant import MachineClass, Signal
from ingest.plant_bearing import TURNS, fixed_speed
from ingest.unit import conversion

_MOTIONS = {1: "m/s2", 0: "m/s", -1: "m"}
"""Units that a velocity follows from, by the number of integrations that it takes."""
_GRAVITY = "standard_gravity"


@dataclass(frozen=True, kw_only=True)
class Bearing:
    """A bearing that a waveform hears, and the turns of its shaft for one of the speed's."""

    name: str
    geometry: Geometry
    speed_ratio: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """A waveform signal as a recipe keeps it.

    Attributes
    ----------
    rate : samples a second
    every : expected time between two snapshots
    length : length of the pieces that it is cut into; ``None`` where unbroken runs are the snapshots
    integrations : from its quantity to a velocity: 1 from an acceleration, 0, or −1 from a displacement;
        ``None`` when it measures no motion
    velocity_unit : what one of its unit, integrated, is in mm/s
    speed_signal, speed_unit, speed_hold : signal with the shaft's speed (empty if none), turns a second that one of
        its unit is, and how long a reading holds
    speed : fixed turns a second
    bands : in Hz
    """

    signal: str
    rate: float
    every: timedelta
    length: timedelta | None = None
    integrations: int | None = None
    velocity_unit: float = 1.0
    speed_signal: str = ""
    speed_unit: float = 1.0
    speed_hold: timedelta = timedelta(0)
    speed: float | None = None
    bands: tuple[tuple[float, float], ...] = ()
    bearings: tuple[Bearing, ...] = ()

    @property
    def knows_speed(self) -> bool:
        """Whether the shaft's speed is declared."""
        return bool(self.speed_signal) or self.speed is not None

    @property
    def signals(self) -> tuple[str, ...]:
        """Signals that are read for it."""
        return (self.signal, self.speed_signal) if self.speed_signal else (self.signal,)

    @cached_property
    def bearing(self) -> Mapping[str, Bearing]:
        """Its bearings by name."""
        return {each.name: each for each in self.bearings}

    @classmethod
    def of(cls, machine_class: MachineClass, signal: Signal, sampling: Mapping[str, timedelta]) -> Self:
        """Return what a class declares of one of its waveform signals.

        Parameters
        ----------
        sampling : time between two readings of each signal of the class
        """
        if signal.rate is None:
            raise ValueError(f"signal '{signal.name}' is no waveform; it declares no 'rate'")
        declared = {each.name: each for each in machine_class.signals}
        speed = fixed_speed(signal.speed or "")
        spoken = signal.speed if signal.speed and speed is None else ""
        integrations, factor = _motion(signal.unit)
        return cls(
            signal=signal.name,
            rate=float(signal.rate),
            every=sampling[signal.name],
            length=signal.snapshot,
            integrations=integrations,
            velocity_unit=factor,
            speed_signal=spoken,
            speed_unit=TURNS[declared[spoken].unit] if spoken else 1.0,
            speed_hold=max_age(declared[spoken], sampling[spoken]) if spoken else timedelta(0),
            speed=speed,
            bands=tuple(signal.bands),
            bearings=tuple(
                Bearing(
                    name=each.name,
                    geometry=Geometry(each.elements, each.ball_diameter, each.pitch_diameter, each.contact_angle),
                    speed_ratio=each.speed_ratio,
                )
                for each in machine_class.bearings
                if not each.signals or signal.name in each.signals
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; ``from_dict`` reads it back."""
        return {
            "signal": self.signal,
            "rate": self.rate,
            "every": span_text(self.every),
            "length": None if self.length is None else span_text(self.length),
            "integrations": self.integrations,
            "velocity_unit": self.velocity_unit,
            "speed_signal": self.speed_signal,
            "speed_unit": self.speed_unit,
            "speed_hold": span_text(self.speed_hold),
            "speed": self.speed,
            "bands": [list(band) for band in self.bands],
            "bearings": [
                {
                    "name": each.name,
                    "elements": each.geometry.elements,
                    "ball_diameter": each.geometry.ball_diameter,
                    "pitch_diameter": each.geometry.pitch_diameter,
                    "contact_angle": each.geometry.contact_angle,
                    "speed_ratio": each.speed_ratio,
                }
                for each in self.bearings
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote."""
        return cls(
            **{key: data[key] for key in ("signal", "rate", "integrations", "velocity_unit")},
            **{key: data[key] for key in ("speed_signal", "speed_unit", "speed")},
            every=parse_duration(data["every"]),
            length=None if data["length"] is None else parse_duration(data["length"]),
            speed_hold=parse_duration(data["speed_hold"]),
            bands=tuple((low, high) for low, high in data["bands"]),
            bearings=tuple(_bearing(**each) for each in data["bearings"]),
        )


def _bearing(name: str, speed_ratio: float, **geometry: Any) -> Bearing:
    return Bearing(name=name, geometry=Geometry(**geometry), speed_ratio=speed_ratio)


def _motion(unit: str) -> tuple[int | None, float]:
    """Return how many integrations lead to a velocity, and what one of the unit is in mm and seconds."""
    # Of vibration, g is the acceleration of gravity and no gram.
    written = _GRAVITY if unit in ("g", "gn") else unit
    for integrations, si in _MOTIONS.items():
        try:
            return integrations, 1000.0 * float(conversion(written, si).factor)
        except UnitError:
            continue
    return None, 1.0
