"""What the plant file says of a model of conditions: which are good, what mistakes cost, what belongs together."""

from typing import Literal

from pydantic import Field

from ingest.part import Name, Part


class Mistake(Part):
    """What it costs to say one condition where another one is recorded."""

    was: Name = Field(description="Code that an inspection recorded.")
    said: Name = Field(description="Code that the model said.")
    costs: float = Field(ge=0, allow_inf_nan=False, description="What that costs, in any unit.")


class Histogram(Part):
    """Signals that are the bins of one histogram, in their order: how often or how long something was at a height."""

    name: Name = Field(description="Name of the histogram, unique in its class.")
    signals: list[Name] = Field(
        min_length=1, description="Its bins, lowest first, as names and ranges of names: `ag_000..009`."
    )


class Condition(Part):
    """Condition: which of the recorded codes are good, and how the model is judged."""

    good: list[Name] = Field(
        [],
        description="Codes of what is as it should be: a level is 1 − their probability. The most frequent code when "
        "neither these nor `watched` are named.",
    )
    watched: list[Name] = Field([], description="Or the codes to watch for: a level is their probability.")
    mistakes: list[Mistake] = Field(
        [], description="What mistakes cost; each costs 1 when none is named, and one that is not named costs nothing."
    )
    groups: list[str] = Field(
        [],
        description="split = `group`: components whose recorded conditions make a group together; pieces of one "
        "group are either learnt from or judged on. '' stands for inspections that name no component.",
    )
    repeats: int = Field(
        1, ge=1, le=20, description="split = `random`: how often the pieces are dealt out anew; figures are means."
    )
    random_because: str = Field(
        "",
        description="Why pieces may be split at random, which flatters wherever neighbours are alike: the reason that "
        "split = `random` needs. It stands on every report and card.",
    )


Split = Literal["time", "machine", "baseline", "group", "random"]
