"""How a silence is written: any mute is one to Alertmanager's clients, with matchers that say the same."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.alerts.matcher import Matcher
from service.alerts.mute import Mute
from service.api.alertmanager.shape import Shape, Time

SilenceState = Literal["active", "pending", "expired"]


class ApiMatcher(Shape):
    """What a label must be."""

    name: str
    value: str
    is_regex: bool = Field(description="Whether the value is a regular expression for the whole of the label.")
    is_equal: bool = Field(True, description="False turns the condition round.")

    @property
    def matcher(self) -> Matcher:
        """The same, as it is kept."""
        return Matcher(name=self.name, value=self.value, is_regex=self.is_regex, is_equal=self.is_equal)


class SilenceStatus(Shape):
    """Whether a silence has begun, and is over."""

    state: SilenceState


class GettableSilence(Shape):
    """A silence: nobody is called for alerts with these labels."""

    id: str
    status: SilenceStatus
    matchers: list[ApiMatcher]
    starts_at: Time
    ends_at: Time
    updated_at: Time
    created_by: str
    comment: str


class PostableSilence(Shape):
    """What somebody wants to be silent."""

    id: str = Field("", max_length=200, description="Of a silence that is changed; empty for a new one.")
    matchers: list[ApiMatcher] = Field(min_length=1)
    starts_at: datetime
    ends_at: datetime
    created_by: str = Field(min_length=1, max_length=200, description="Who it is, where nobody is signed in.")
    comment: str = Field(min_length=1, max_length=10_000, description="Why.")


def matchers_of(mute: Mute) -> tuple[Matcher, ...]:
    """Return which alerts a mute reaches, as matchers."""
    if mute.matchers:
        return mute.matchers
    # What is of no machine is what has no such label.
    own = (Matcher(name="machine", value=mute.machine),)
    return (*own, Matcher(name="cause", value=mute.cause)) if mute.cause else own


def state_of(mute: Mute, now: datetime) -> SilenceState:
    """Return whether a mute has begun, and is over."""
    if mute.ended_at is not None or mute.until <= now:
        return "expired"
    return "active" if mute.since <= now else "pending"


def silence_shown(mute: Mute, now: datetime) -> GettableSilence:
    """Return a mute as Alertmanager shows a silence."""
    end = mute.until if mute.ended_at is None else min(mute.until, mute.ended_at)
    return GettableSilence(
        id=mute.uuid,
        status=SilenceStatus(state=state_of(mute, now)),
        matchers=[
            ApiMatcher(name=each.name, value=each.value, is_regex=each.is_regex, is_equal=each.is_equal)
            for each in matchers_of(mute)
        ],
        starts_at=min(mute.since, end),
        ends_at=end,
        updated_at=max(filter(None, (mute.changed_at, mute.ended_at)), default=mute.since),
        created_by=mute.by,
        comment=mute.why,
    )
