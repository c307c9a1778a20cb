"""What the plant file says of production: products, shifts, words for states and stops, and what time is worth."""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from ingest.clock_span import Hours
from ingest.duration import Duration
from ingest.part import Columns, Name, Part

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Words(Part):
    """The plant's own words for states and reasons of stops, and what they mean; upper and lower case differ."""

    running: Columns = Field([], description="The machine works on pieces.")
    changeover: Columns = Field([], description="It is set up for another product.")
    breakdown: Columns = Field([], description="It failed, or is being repaired after a failure.")
    stopped: Columns = Field([], description="It stands, and nobody says why.")
    idle: Columns = Field([], description="It could run and has nothing to do.")
    starved: Columns = Field([], description="It could run and waits for what comes before it.")
    blocked: Columns = Field([], description="It could run and cannot get rid of what it made.")
    planned_stop: Columns = Field([], description="It stands as planned: maintenance, cleaning, breaks, trials.")
    not_planned: Columns = Field([], description="Nobody planned to use it.")


class Product(Part):
    """What machines make, and how fast they could."""

    name: Name = Field(description="Name of the product as it stands in orders or counts; unique in the plant.")
    ideal_cycle: Duration | None = Field(
        None,
        description="Time that one piece takes at best (planned run time per item, ISO 22400-2). Where it is not "
        "known, running time is neither good nor lost, and OEE says why there is none.",
    )
    ideal_cycles: dict[Name, Duration] = Field(
        {},
        description="The same on single machines or classes, where it is another one; a machine goes before its class.",
    )
    value: Money | None = Field(
        None, description="What a good piece earns beyond what it costs; needed where no hour has a value."
    )
    scrap_cost: Money = Field(0.0, description="What a scrapped piece cost in material and energy.")


class Shift(Part):
    """Hours in which machines are planned to run, in the plant's local time; it belongs to the day it begins on."""

    name: Name = Field(description="Name of the shift, unique in the plant.")
    hours: Hours = Field(description="From and to; across midnight where the second is earlier.")
    days: list[Day] = Field(
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1, description="Days on which it begins."
    )
    breaks: list[Hours] = Field([], description="Hours within it in which people pause; a machine that runs on, runs.")
    lines: list[Name] = Field([], description="Lines that work in it.")
    machines: list[Name] = Field([], description="Machines that work in it; all when this and `lines` are empty.")


class Production(Part):
    """How lost time is told apart, and what it is worth."""

    minor_stop: Duration = Field(
        timedelta(minutes=5),
        description="A stop or breakdown shorter than this is a minor stop, unless it was recorded as a failure.",
    )
    words: Words = Field(Words(), description="What the plant's words for states and stops mean.")
    in_orders: Literal["unknown", "running"] = Field(
        "unknown",
        description="What a machine does between the begin and the end of an order when neither a state nor a stop is "
        "told: 'running' for machines that report their stops alone.",
    )
    state_holds: Duration | None = Field(
        None, description="How long a state is believed when no other comes; until the next one when left out."
    )
    closed: list[date] = Field([], description="Days on which no shift begins, such as holidays.")
    hour_value: Money | None = Field(None, description="What an hour of running earns, of any machine.")
    hour_values: dict[Name, Money] = Field(
        {}, description="The same of single machines, classes or lines; a machine goes before its line and its class."
    )
