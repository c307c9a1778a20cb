"""Who watches Andon itself: the ``[watchdog]`` table of the plant file."""

from pydantic import Field

from ingest.duration import SomeTime
from ingest.part import Name, Part


class Watchdog(Part):
    """What `andon watch` holds against Andon itself, and whom it tells; see [operating](operating.md)."""

    targets: list[Name] = Field(
        [],
        description="Targets that get a watchdog message as long as all is watched, and each operational alarm. A "
        "system outside that expects the message notices when nobody is left to raise an alarm.",
    )
    every: SomeTime = Field("5 min", validate_default=True, description="Time between two watchdog messages.")
    missed_after: SomeTime = Field(
        "15 min",
        validate_default=True,
        description="A slot that nobody began for so long is missed; as long may a worker or a message be overdue.",
    )
    disk_free: float = Field(
        0.05, ge=0, le=0.9, description="The disk of the data folder is nearly full when a smaller share is free."
    )
    clock_step: SomeTime = Field(
        "10 s", validate_default=True, description="A clock that went ahead or back by more has stepped."
    )
