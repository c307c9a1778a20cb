"""How a mute is shown over HTTP."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from service.alerts.mute import MuteKind


class MuteView(BaseModel):
    """One reason why nobody is called for alerts of a machine."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: MuteKind
    machine: str
    cause: str = Field(description="Reaches alerts of this cause only; empty for all of the machine.")
    rule: str = Field(description="The rule that suppresses; empty for what a person did.")
    once: bool = Field(description="Shelved until the condition is over.")
    by: str
    why: str
    since: datetime
    until: datetime = Field(description="When it is over, unless somebody ends it before.")
    ended_at: datetime | None = Field(description="When it was over; null while nobody has ended it.")
    ended_by: str
    ended_why: str
