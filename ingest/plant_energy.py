"""What the plant file says of energy: meters, what drives their use, what it costs, what begins a new baseline."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from ingest.duration import Duration
from ingest.part import Columns, Moment, Name, Part

MeterReads = Literal["power", "energy", "counter"]
DriverReads = Literal["mean", "sum", "increase", "travel", "shares"]


class Driver(Part):
    """What the energy use depends on: a relevant variable in the words of ISO 50006."""

    signal: Name = Field(
        description="Signal; or `state`, the state events of the machine. No other reading of the same meter."
    )
    machine: str = Field("", description="Machine that it is read on, such as a weather station; the meter's own.")
    reads: DriverReads = Field(
        "mean",
        description="mean: its mean, as of a temperature. sum: readings are amounts since the one before, such as "
        "pieces; they are added. increase: a counter, such as of pieces. travel: how far it moved, both ways. shares: "
        "its values are kinds, such as products; the share of time of each.",
    )


class Meter(Part):
    """An energy meter: of every machine of a class, or of one machine; a line, a hall is a machine, too."""

    name: Name = Field(description="Name of the meter, unique in the plant.")
    machine: str = Field("", description="The machine whose signal it is; or `class`.")
    machine_class: str = Field("", alias="class", description="Or a class: a meter on each of its machines.")
    signal: Columns = Field(
        min_length=1, description="Its signal, or several that are added, in a unit of power or of energy."
    )
    reads: MeterReads = Field(
        description="power: as in kW, of the time since the reading before. energy: as in kWh, used since the reading "
        "before. counter: as in kWh, used in all; it never falls."
    )
    drivers: list[Driver] = Field([], description="What the energy use depends on.")
    calendar: bool = Field(True, description="Whether weekday and hour of the day are drivers, too.")
    production: str = Field("", description="Driver that says how much is made; specific energy is told for it.")
    productive: str | None = Field(
        None,
        description='When something is made, over signals of the machine and `state`: "speed > 0"; all else is idle. '
        "When 'production' is above 0 if left out.",
    )
    every: Duration = Field(
        timedelta(hours=1),
        validate_default=True,
        description="Time over which energy and drivers are summed up: a whole part of a day, such as 1 h, 8 h, 24 h.",
    )
    baseline: Duration = Field(
        timedelta(days=90), validate_default=True, description="How long the baseline period is."
    )
    baseline_from: Moment | None = Field(None, description="When it begins; with the first reading when left out.")
    static_factors: list[Name] = Field(
        [],
        description="Codes of events that tell of a lasting change, such as a new furnace: with the newest one a new "
        "baseline period begins. Nothing else begins one.",
    )
    price: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Price of a kWh of it, in place of the plant's `costs`."
    )
    co2e: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="kg CO2e of a kWh of it, in place of the plant's `costs`."
    )
