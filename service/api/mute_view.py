"""How a mute is shown over HTTP."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from service.alerts.mute import MuteKind


class MatcherView(BaseModel):
    """A condition on a label."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: str
    is_regex: bool = Field(description="Whether the value is a regular expression for the whole of the label.")
    is_equal: bool = Field(description="False turns the condition round.")


class MuteView(BaseModel):
    """One reason why nobody is called for alerts of a machine."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    uuid: str = Field(description="What other systems call it.")
    kind: MuteKind
    machine: str = Field(description="Of a silence the machine that its matchers name; empty where they name none.")
    cause: str = Field(description="Reaches alerts of this cause only; empty for all of the machine.")
    rule: str = Field(description="The rule that suppresses; empty for what a person did.")
    once: bool = Field(description="Shelved until the condition is over.")
    by: str
    why: str
    matchers: list[MatcherView] = Field(description="Of a silence: what the labels of an alert must be.")
    since: datetime
    until: datetime = Field(description="When it is over, unless somebody ends it before.")
    ended_at: datetime | None = Field(description="When it was over; null while nobody has ended it.")
    ended_by: str
    ended_why: str
