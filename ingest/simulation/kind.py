"""What a kind of machine is made of: signals, products, components and the ways they break.

A kind is data (see ``kinds/``); nothing in the simulator knows a kind by name.
"""

import math
from dataclasses import dataclass

_TIME_CONSTANTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPhysics:
    """How one signal behaves on a healthy machine, and what its sensor can show.

    Attributes
    ----------
    low, high : what the sensor can give, in ``unit``
    resolution : smallest step of the sensor, in ``unit``
    base : value at load 1, speed 1 and 20 degC around the machine
    off : value of the machine at rest; ``None`` for the temperature around it
    load_gain, speed_gain : change when load or speed rises from 1 to 2
    ambient_gain : change per degree around the machine
    noise : standard deviation at constant conditions; also the scale of differences between machines
    correlation_hours : time in which the fast part of the noise forgets itself
    lag_hours : time constant with which the signal follows (heat is slow)
    """

    name: str
    unit: str
    low: float
    high: float
    resolution: float
    base: float
    noise: float
    off: float | None = 0.0
    load_gain: float = 0.0
    speed_gain: float = 0.0
    ambient_gain: float = 0.0
    correlation_hours: float = 0.5
    lag_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What a degradation does to one signal.

    Attributes
    ----------
    shift : change of the signal when the component is about to fail, in the signal's unit
    scatter : by how much the noise grows then; 1 doubles it
    """

    signal: str
    shift: float
    scatter: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way in which a component degrades until it fails.

    Attributes
    ----------
    effects : signals it moves; empty for a failure that gives no warning
    interval_hours : running hours from the first sign to the failure, as 10 % and 90 % quantile
    error : code of the minor error that becomes more frequent
    errors_per_hour : how frequent, just before the failure
    scrap : share of pieces spoilt just before the failure
    """

    name: str
    effects: tuple[Effect, ...] = ()
    interval_hours: tuple[float, float] = (0.0, 0.0)
    error: str = ""
    errors_per_hour: float = 0.0
    scrap: float = 0.0

    @property
    def sudden(self) -> bool:
        """Whether nothing can be seen before the failure."""
        return not self.effects


@dataclass(frozen=True, slots=True)
class Component:
    """A part that degrades, fails and is repaired by itself.

    Attributes
    ----------
    sudden : mode of the failures of this part that come without any sign
    repair_hours : median time from the failure to running again
    """

    name: str
    repair_hours: float
    modes: tuple[Mode, ...]
    sudden: Mode


@dataclass(frozen=True, slots=True)
class Product:
    """What a machine makes, or the duty that it runs at.

    Attributes
    ----------
    load, speed : relative to the nominal point of the kind, which is 1
    cycle_seconds : ideal time of one piece; 0 where no pieces are made
    """

    name: str
    load: float
    speed: float
    cycle_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKind:
    """A kind of machine.

    Attributes
    ----------
    shifts : name of the shift pattern that it runs unless the scenario says otherwise
    demand : how much load follows the time of day, 0 to 1
    order_hours : median running hours of one order or duty
    errors : codes of minor errors, each about once in two running months by itself
    running : when it surely runs, an expression of the plant file over its signals
    """

    name: str
    area: str
    shifts: str
    running: str
    demand: float
    order_hours: float
    signals: tuple[SignalPhysics, ...]
    products: tuple[Product, ...]
    components: tuple[Component, ...]
    errors: tuple[str, ...]

    @property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the signals, in the order of the columns."""
        return tuple(each.name for each in self.signals)

    @property
    def settle_hours(self) -> int:
        """Hours after a start until its slowest signal is within a twentieth of where it goes."""
        return math.ceil(_TIME_CONSTANTS * max(each.lag_hours for each in self.signals))
