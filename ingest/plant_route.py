"""Who is called for which alerts, and when: the ``[[routes]]`` and ``[[inhibits]]`` tables of the plant file."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from ingest.duration import Duration
from ingest.part import Columns, Name, Part

SeverityName = Literal["low", "medium", "high", "critical"]
"""From what can wait to what cannot; see ``service.alerts.pipeline.worth``."""
AlertKind = Literal[
    "failure ahead",
    "anomaly",
    "condition",
    "sensor or machine",
    "sensor fault",
    "limit",
    "energy loss",
    "time loss",
    "quality loss",
    "process shift",
    "external",
]
Place = Literal["site", "area", "line", "class", "machine", "kind", "cause"]
"""What alerts may have in common."""


class Which(Part):
    """Which alerts are meant: those for which all that is written here holds, all of them where nothing is."""

    sites: Columns = Field([], description="Sites, as names or with `*`: `Ulm*`.")
    areas: Columns = Field([], description="Areas, in the same way.")
    lines: Columns = Field([], description="Lines, in the same way.")
    classes: Columns = Field([], description="Classes of machines, in the same way.")
    machines: Columns = Field([], description="Machines, in the same way: `press-*`.")
    kinds: list[AlertKind] = Field([], description="Kinds of alerts.")
    causes: Columns = Field([], description="What it is about, such as a component or `* sensor`, in the same way.")
    severity: SeverityName = Field("low", description="At least so severe.")
    least_per_hour: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="At least so much money is at stake each hour."
    )


class Duty(Part):
    """Who is called while a shift works."""

    shifts: Columns = Field(min_length=1, description="Shifts by their names.")
    targets: Columns = Field(min_length=1, description="Whom to call then.")


class Rung(Part):
    """Whom to call as well when nobody has acknowledged."""

    after: Duration = Field(description="So long after the first call.")
    targets: Columns = Field(min_length=1, description="Whom to call then.")


class Route(Part):
    """A way from alerts to people; of several that fit an alert the first is taken."""

    name: Name = Field(description="Name of the route, unique in the plant.")
    when: Which = Field(Which(), description="Which alerts take it; all when left out.")
    go_on: bool = Field(False, description="Whether routes after this one are looked at, too.")
    targets: Columns = Field([], description="Whom to call at any time.")
    on_call: list[Duty] = Field([], description="Whom to call while a shift works.")
    escalate: list[Rung] = Field(
        [], description="Whom to call as well, one after the other, until somebody acknowledges."
    )
    group_by: list[Place] = Field(["line"], description="Alerts that have this in common come in one message.")
    group_wait: Duration = Field(
        timedelta(seconds=30), description="How long the first message of a group waits for others to come along."
    )
    group_interval: Duration = Field(timedelta(minutes=5), description="Least time between two messages of a group.")
    repeat_every: Duration = Field(
        timedelta(hours=4), description="How often to call again while nobody has acknowledged."
    )
    budget: int | None = Field(
        None,
        ge=0,
        description="New calls a week at most; as under `[alerts]` when left out. Critical ones add to them.",
    )
    digest: bool = Field(False, description="Whether its targets get the digest at the end of each shift.")


class Inhibit(Part):
    """What need not be said while something worse is known: never holds back what is more severe than its reason."""

    name: Name = Field(description="Name of the rule, unique in the plant; it is told to whoever asks why.")
    when: Which = Field(description="While there is such an alert …")
    quiet: Which = Field(description="… such alerts call nobody.")
    same: list[Place] = Field(["machine"], description="If both have this in common.")
